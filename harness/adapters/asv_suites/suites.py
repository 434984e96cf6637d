"""One asv benchmark class for each suite, with its implementations and quick cases as parameters."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any, ClassVar


def project_root() -> Path:
    """The checkout of the commit that asv measures: in its environment's folder, or else the one of this file."""
    environment = os.environ.get("ASV_ENV_DIR")
    checkout = Path(environment, "project") if environment else None
    if checkout is not None and (checkout / "pyproject.toml").is_file():
        return checkout
    return Path(__file__).resolve().parents[3]


sys.path.insert(0, str(project_root()))

from harness.adapters.contestants import Contestant, contestants  # noqa: E402 - of the commit that is measured
from harness.config import find_project  # noqa: E402
from harness.discovery import load_catalogue  # noqa: E402

SAMPLE_S = 0.01
"""asv's own; where there is a set-up it would take single calls for samples."""


class _SuiteBenchmark:
    """Time and peak memory of a suite's contestants; asv shows n/a for a pair that does not exist.

    The underscore keeps asv from taking the class itself for a benchmark, which could only fail.
    """

    contestants: ClassVar[dict[tuple[str, str], Contestant]] = {}
    param_names: ClassVar[list[str]] = ["implementation", "case"]
    timeout = 300.0
    prepared: tuple[str, str] | None = None

    def setup(self, implementation: str, case: str) -> None:
        """Prepare once; asv 0.6.6 asks before every single call, which would then find cold caches."""
        if self.prepared == (implementation, case):
            return
        contestant = self.contestants.get((implementation, case))
        if contestant is None:
            # By this asv knows that there is nothing to measure.
            raise NotImplementedError(f"{implementation} does not do {case}")
        self.call = contestant.prepare()
        self.number = self.call.count_within(SAMPLE_S)
        self.prepared = (implementation, case)

    def time_call(self, implementation: str, case: str) -> None:
        self.call()

    def track_peak_bytes(self, implementation: str, case: str) -> float:
        return self.call.peak_bytes()

    track_peak_bytes.unit = "bytes"  # type: ignore[attr-defined]


def _benchmark_class(suite: str, members: list[Contestant]) -> type[_SuiteBenchmark]:
    attributes: dict[str, Any] = {
        "__module__": __name__,
        "contestants": {(member.listing.name, member.case.label): member for member in members},
        "params": [
            list(dict.fromkeys(member.listing.name for member in members)),
            list(dict.fromkeys(member.case.label for member in members)),
        ],
    }
    return type(suite, (_SuiteBenchmark,), attributes)


def _by_suite() -> dict[str, list[Contestant]]:
    found: dict[str, list[Contestant]] = {}
    for contestant in contestants(load_catalogue(find_project(project_root()))):
        found.setdefault(contestant.listing.suite, []).append(contestant)
    return found


globals().update({suite: _benchmark_class(suite, members) for suite, members in _by_suite().items()})
