"""What a comparison of two sides is, and what is decided by it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from harness.statistics import Estimate

Change = Literal["faster", "slower", "same", "undecided"]
DEFAULT_THRESHOLD = 0.05


class Incomparable(Exception):
    """The two sides cannot be compared; the message says why."""


class OtherMachine(Incomparable):
    """The two sides are not known to be of one machine; side by side they can be shown all the same."""


@dataclass(frozen=True)
class Comparison:
    """Head's cost over base's for one contestant and workload: above 1 is dearer.

    :param threads: ``None`` where whoever measured it did not say.
    :param unit: of ``base`` and ``head``, the figures that the ratio is of, where they are kept.
    """

    suite: str
    implementation: str
    case: str
    device: str
    dtype: str
    threads: int | None
    instrument: str
    ratio: Estimate
    verdict: Change
    unit: str = ""
    base: Estimate | None = None
    head: Estimate | None = None

    @property
    def name(self) -> str:
        """The contestant, with its suite where it has one."""
        return "/".join(filter(None, (self.suite, self.implementation)))

    @property
    def setting(self) -> str:
        """What it was measured with beside the case, as far as it is said."""
        threads = "" if self.threads is None else f"{self.threads} thread{'s' * (self.threads != 1)}"
        return ", ".join(filter(None, (self.dtype, self.device, threads)))


def overall(comparisons: Sequence[Comparison]) -> Change:
    """One verdict: a single slower contestant makes it slower, a single undecided one leaves it undecided."""
    verdicts = {comparison.verdict for comparison in comparisons}
    for verdict in ("slower", "undecided", "faster"):
        if verdict in verdicts:
            return verdict
    return "same"


def decide(ratio: Estimate, threshold: float) -> Change:
    """A change is decided when the whole interval is beyond the threshold, sameness when all of it is within."""
    upper, lower = 1 + threshold, 1 / (1 + threshold)
    if not ratio.has_interval:
        return "undecided"
    if ratio.low > upper:
        return "slower"
    if ratio.high < lower:
        return "faster"
    return "same" if ratio.low >= lower and ratio.high <= upper else "undecided"
