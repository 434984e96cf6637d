"""A trial: one implementation, one case, one instrument, one worker process."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from harness.contract import Case

InstrumentName = Literal["time", "memory", "energy", "probe"]
INSTRUMENTS: tuple[InstrumentName, ...] = ("time", "memory", "energy", "probe")
QUANTITY: Mapping[InstrumentName, str] = {
    "time": "duration_ns",
    "memory": "peak_bytes",
    "energy": "energy_j",
    "probe": "value",
}


@dataclass(frozen=True)
class Trial:
    """What is measured.

    :param implementation: its name; empty for a probe that concerns none.
    :param probe: the probe's name when ``instrument`` is ``probe``.
    :param until: the phase after which the call ends; empty for the whole call.
    :param round: which of the independent processes of this contestant it is, from 0.
    :param seed: the run's seed, from which the trial derives its own.
    """

    suite: str
    implementation: str
    case: Case
    device: str
    dtype: str
    threads: int
    instrument: InstrumentName
    round: int
    seed: int
    probe: str = ""
    until: str = ""

    @property
    def workload(self) -> tuple[object, ...]:
        """What contestants must share to be compared."""
        return (self.suite, self.case, self.device, self.dtype, self.threads, self.until)

    @property
    def key(self) -> str:
        """Identifies the trial within a run and across resumed runs."""
        parts = dataclasses.asdict(self) | {"case": dict(sorted(self.case.parameters))}
        return json.dumps(parts, sort_keys=True)

    def to_json(self) -> dict[str, Any]:
        return {**vars(self), "case": dict(self.case)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Trial:
        names = {field.name for field in dataclasses.fields(cls)}
        return cls(**{key: value for key, value in data.items() if key in names} | {"case": Case.of(data["case"])})
