"""Gathering the replies of one worker into its record."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.records import Record, Sample, Status, Stopped
from harness.trials import Trial


@dataclass
class Outcome:
    """What is known of a trial so far; grows with each reply and becomes a record at the end."""

    trial: Trial
    origin: str
    status: Status = "ok"
    reason: str = ""
    samples: list[Sample] = field(default_factory=list)
    errors: dict[str, float] = field(default_factory=dict)
    limits: dict[str, float] = field(default_factory=dict)
    checked: dict[str, Any] = field(default_factory=dict)
    setup_ns: dict[str, int] = field(default_factory=dict)
    calibration: dict[str, float] = field(default_factory=dict)
    flags: list[str] = field(default_factory=list)
    stopped: Stopped = ""
    started_at: float = field(default_factory=time.time)
    _begin_s: float = field(default_factory=time.monotonic)

    @property
    def good(self) -> bool:
        return self.status == "ok"

    def take(self, reply: Mapping[str, Any]) -> bool:
        """Take what any reply may hold; whether the trial can go on."""
        if reply["status"] != "ok":
            self.status, self.reason = reply["status"], reply["reason"]
            return False
        self.setup_ns.update(reply.get("setup_ns", {}))
        self.calibration.update(reply.get("calibration", {}))
        self.flags += [flag for flag in reply.get("flags", []) if flag not in self.flags]
        return True

    def take_sample(
        self, reply: Mapping[str, Any], block: int, flags: Iterable[str] = (), warmup: bool = False
    ) -> bool:
        """Take a sample; one that took no time, by a clock that somebody has changed, is the trial's failure."""
        values: dict[str, float] = dict(reply["values"])
        duration_ns = sum(values.values())
        if not (duration_ns > 0 and math.isfinite(duration_ns)):
            self.status, self.reason = "failed", f"a sample of {duration_ns:g} ns: the clock stood still or went back"
            return False
        noticed = (*flags, *reply.get("sample_flags", ()))
        self.samples.append(Sample(block, reply["iterations"], values, warmup, noticed, reply.get("readings", {})))
        return True

    def take_check(self, reply: Mapping[str, Any], when: str) -> bool:
        """Take the outcome of a check; a wrong answer voids every sample."""
        if not self.take(reply):
            return False
        for name, error in reply["errors"].items():
            self.errors[name] = max(error, self.errors.get(name, 0.0))
        self.limits.update(reply["limits"])
        self.checked.update(reply["checked"])
        if reply["reason"]:
            self.status, self.reason = "wrong", f"{when}: {reply['reason']}"
        return self.good

    def record(self) -> Record:
        """The record; a trial whose answer was wrong or never checked again shows no samples.

        A figure that is no number, as a probe may count one, is the trial's failure.
        """
        endless = [name for sample in self.samples for name, value in sample.values.items() if not math.isfinite(value)]
        if self.good and endless:
            self.status, self.reason = "failed", f"{endless[0]} is not a finite number"
        return Record(
            trial=self.trial,
            status=self.status,
            reason=self.reason,
            origin=self.origin,
            samples=tuple(self.samples) if self.good else (),
            errors=self.errors,
            limits=self.limits,
            checked=self.checked,
            setup_ns=self.setup_ns,
            calibration=self.calibration,
            flags=tuple(self.flags),
            stopped=self.stopped,
            started_at=round(self.started_at, 3),
            elapsed_s=round(time.monotonic() - self._begin_s, 3),
        )


def warmup_samples(readings: Iterable[Mapping[str, Any]]) -> list[Sample]:
    return [Sample(-1, reading["iterations"], dict(reading["values"]), warmup=True) for reading in readings]
