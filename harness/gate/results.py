"""What a gate found, and what it comes to."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.comparing import Change
from harness.gate.noise import Noise
from harness.gate.rules import Accepted
from harness.gate.sides import Name
from harness.statistics import Estimate
from harness.trials import InstrumentName


@dataclass(frozen=True)
class Compared:
    """Head's cost over base's for one implementation, case and instrument.

    :param threshold: share up to which a difference counts as none.
    :param rounds: pairs of processes.
    :param base_value: median of base, in the instrument's unit (ns, bytes, J).
    :param head_value: of head.
    :param accepted: what accepts it if it is slower.
    """

    suite: str
    implementation: str
    case: str
    device: str
    dtype: str
    threads: int
    instrument: InstrumentName
    ratio: Estimate
    verdict: Change
    threshold: float
    rounds: int
    base_value: float
    head_value: float
    accepted: Accepted | None = None

    @property
    def fails(self) -> bool:
        return self.verdict == "slower" and self.accepted is None

    @property
    def name(self) -> str:
        return f"{self.suite}/{self.implementation}"

    @property
    def workload(self) -> str:
        threads = f" {self.threads} threads" if self.threads > 1 else ""
        return f"{self.case} {self.dtype}{threads}{'' if self.device == 'cpu' else f' {self.device}'}"

    def to_json(self) -> dict[str, Any]:
        known = self.ratio.has_interval
        return {
            "suite": self.suite,
            "implementation": self.implementation,
            "case": self.case,
            "device": self.device,
            "dtype": self.dtype,
            "threads": self.threads,
            "instrument": self.instrument,
            "ratio": self.ratio.value if math.isfinite(self.ratio.value) else None,
            "low": self.ratio.low if known else None,
            "high": self.ratio.high if known else None,
            "verdict": self.verdict,
            "threshold": self.threshold,
            "rounds": self.rounds,
            "base": self.base_value if math.isfinite(self.base_value) else None,
            "head": self.head_value if math.isfinite(self.head_value) else None,
            "accepted": self.accepted.reason if self.accepted else None,
        }


@dataclass(frozen=True)
class Fault:
    """An implementation that does not give a right answer, or does not run, on one side.

    :param implementation: empty where the whole side cannot be read.
    :param case: empty where it is not about one.
    """

    suite: str
    implementation: str
    case: str
    status: str
    reason: str

    @property
    def name(self) -> str:
        return f"{self.suite}/{self.implementation}" if self.suite else "the project"


@dataclass(frozen=True)
class Findings:
    """All of it.

    :param broken: right in base or new, and wrong or failing in head: a regression.
    :param hindered: runs in base and cannot in this environment in head; or could not be measured on either side.
    :param broken_before: wrong or failing in base already.
    :param left_out: comparisons that are none, by what and why.
    :param new: implementations of head alone, which are right.
    :param finished: whether every comparison was decided or looked at as often as it may be.
    """

    base: str
    head: str
    compared: tuple[Compared, ...] = ()
    broken: tuple[Fault, ...] = ()
    hindered: tuple[Fault, ...] = ()
    broken_before: tuple[Fault, ...] = ()
    left_out: Mapping[str, str] = field(default_factory=dict)
    new: tuple[Name, ...] = ()
    removed: tuple[Name, ...] = ()
    chosen: Mapping[Name, str] = field(default_factory=dict)
    skipped: Mapping[Name, str] = field(default_factory=dict)
    expired: tuple[Accepted, ...] = ()
    notes: tuple[str, ...] = ()
    noise: tuple[Noise, ...] = ()
    finished: bool = True
    elapsed_s: float = 0.0

    @property
    def verdict(self) -> Change:
        """A wrong or failing head counts as slower; an accepted change as none."""
        verdicts = {each.verdict for each in self.compared if not each.accepted}
        if self.broken or "slower" in verdicts:
            return "slower"
        if self.hindered:
            return "undecided"
        for verdict in ("undecided", "faster"):
            if verdict in verdicts:
                return verdict
        return "same"

    def to_json(self) -> dict[str, Any]:
        return {
            "verdict": self.verdict,
            "comparisons": [each.to_json() for each in self.compared],
            "base": self.base,
            "head": self.head,
            "broken": [vars(each) for each in self.broken],
            "hindered": [vars(each) for each in self.hindered],
            "broken_before": [vars(each) for each in self.broken_before],
            "left_out": dict(self.left_out),
            "new": ["/".join(name) for name in self.new],
            "removed": ["/".join(name) for name in self.removed],
            "selected": {"/".join(name): why for name, why in self.chosen.items()},
            "skipped": {"/".join(name): why for name, why in self.skipped.items()},
            "expired": [{"what": each.what, "reason": each.reason, "until": str(each.until)} for each in self.expired],
            "notes": list(self.notes),
            "noise": [vars(each) for each in self.noise],
            "finished": self.finished,
            "elapsed_s": round(self.elapsed_s, 1),
        }
