"""Records: what came out of a trial, immutable and raw; statistics are computed when records are read.

History of the format:

1. (0.1.0) the first.
2. (0.1.0) samples have ``readings``, records ``stopped``, ``started_at`` and ``elapsed_s``; isolated samples.
3. (0.1.0) records have ``fingerprint``, ``batch`` and ``batch_size``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from harness.contract import Case
from harness.printable import printable
from harness.privacy import this_process
from harness.shapes import Each, Fields, Integer, Maybe, Misfit, Name, Number, OneOf, Scalar, Shape, Table, Text, Truth
from harness.trials import INSTRUMENTS, QUANTITY, Trial

FORMAT = 3

Stopped = Literal["", "precise", "enough", "budget", "trend"]
ISOLATED = "isolated"

Status = Literal["ok", "wrong", "failed", "timeout", "out_of_memory", "crashed", "unavailable"]
STATUSES: tuple[Status, ...] = get_args(Status)


@dataclass(frozen=True)
class Sample:
    """One timed block of iterations, or one reading of another instrument.

    :param block: the round of the contest in which it was taken; -1 for warm-up.
    :param iterations: calls in the sample; ``values`` are per call.
    :param values: by phase (by name for a probe) in the unit that the record's quantity names.
    :param flags: what was noticed about it, such as ``throttled``; ``isolated`` if it was taken right after another one
        of the same contestant, which shows by comparison how much the others disturb.
    :param readings: what else was read with it, by a name that ends in its unit: ``sm_clock_mhz``, ``dispatch_ns``.
    """

    block: int
    iterations: int
    values: Mapping[str, float]
    warmup: bool = False
    flags: tuple[str, ...] = ()
    readings: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Record:
    """The outcome of one trial.

    :param origin: where the implementation came from: ``project``, ``path PATH``, ``package NAME``.
    :param reason: why the status is not ``ok``.
    :param errors: by output the error against the reference, the larger of before and after the timing.
    :param limits: by output the error allowed.
    :param checked: the parameters that were checked, where they are not the case's own.
    :param setup_ns: what came before the first measured call: ``load`` (import), ``first_call`` (with compilation).
    :param calibration: what the instrument found out about itself.
    :param stopped: why sampling ended: the interval was as narrow as asked (``precise``), all blocks were taken
        (``enough``), the time was used up (``budget``), or it was used up within a trend (``trend``).
    :param started_at: when the trial began, seconds since 1970; ``None`` in old records.
    :param elapsed_s: how long its worker lived.
    :param fingerprint: what it depended on, see :mod:`harness.fingerprint`; empty in old records.
    :param batch: shared by the records that were stored together, as those of a contest are; empty for a single one.
    :param batch_size: how many they were; where fewer are found the run was killed while it stored them.
    """

    trial: Trial
    status: Status
    reason: str = ""
    origin: str = ""
    samples: tuple[Sample, ...] = ()
    errors: Mapping[str, float] = field(default_factory=dict)
    limits: Mapping[str, float] = field(default_factory=dict)
    checked: Mapping[str, Any] = field(default_factory=dict)
    setup_ns: Mapping[str, int] = field(default_factory=dict)
    calibration: Mapping[str, float] = field(default_factory=dict)
    flags: tuple[str, ...] = ()
    stopped: Stopped = ""
    started_at: float | None = None
    elapsed_s: float | None = None
    fingerprint: Mapping[str, str] = field(default_factory=dict)
    batch: str = ""
    batch_size: int = 1

    def __post_init__(self) -> None:
        """Messages come out of contestants and name tags out of paths; neither may do more than be read."""
        object.__setattr__(self, "reason", printable(self.reason))
        object.__setattr__(self, "origin", printable(self.origin))

    @property
    def measured(self) -> tuple[Sample, ...]:
        """The samples that count: neither warm-up nor isolated."""
        return tuple(sample for sample in self.samples if not sample.warmup and ISOLATED not in sample.flags)

    @property
    def isolated(self) -> tuple[Sample, ...]:
        return tuple(sample for sample in self.samples if ISOLATED in sample.flags)

    def to_json(self) -> dict[str, Any]:
        quantity = QUANTITY[self.trial.instrument]
        return {
            "format": FORMAT,
            **self.trial.to_json(),
            "status": self.status,
            "reason": this_process().text(self.reason),
            "origin": this_process().text(self.origin),
            "samples": [
                {
                    "block": sample.block,
                    "iterations": sample.iterations,
                    quantity: dict(sample.values),
                    "warmup": sample.warmup,
                    "flags": list(sample.flags),
                    "readings": _portable(sample.readings),
                }
                for sample in self.samples
            ],
            "errors": _portable(self.errors),
            "limits": _portable(self.limits),
            "checked": dict(self.checked),
            "setup_ns": dict(self.setup_ns),
            "calibration": dict(self.calibration),
            "flags": list(self.flags),
            "stopped": self.stopped,
            "started_at": self.started_at,
            "elapsed_s": self.elapsed_s,
            "fingerprint": dict(self.fingerprint),
            "batch": self.batch,
            "batch_size": self.batch_size,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Record:
        """The record that :meth:`to_json` wrote, in this or any older format, with every text made printable.

        :raises ValueError: the format is newer than this program, or a field is missing, of the wrong kind or out of
            its range; the message names the field.
        """
        if not isinstance(data, Mapping):
            raise ValueError(f"a record is a JSON object, not {type(data).__name__}")
        version = data.get("format")
        if type(version) is not int or version < 1:
            raise ValueError("format is missing or no version number; this is no record of bakeoff")
        if version > FORMAT:
            raise ValueError(f"format {_short(version)} is newer than this program reads ({FORMAT}); update bakeoff")
        try:
            instrument = OneOf(INSTRUMENTS).read(data.get("instrument"))
        except Misfit as misfit:
            raise misfit.within(".instrument") from None
        found = _RECORD[instrument].read(data)
        samples = (
            Sample(values=sample.pop(QUANTITY[instrument]), **sample)  # type: ignore[index]
            for sample in found.pop("samples")
        )
        identity = {name: found.pop(name) for name in _TRIAL}
        trial = Trial(**identity | {"case": Case.of(identity["case"])})
        return cls(trial=trial, samples=tuple(samples), **found)


_TRIAL: Mapping[str, Shape] = {
    "suite": Name(),
    "implementation": Name(empty=True),
    "case": Table(Scalar()),
    "device": Name(),
    "dtype": Name(),
    "threads": Integer(1, 2**31),
    "instrument": OneOf(INSTRUMENTS),
    "round": Integer(0, 2**31),
    "seed": Integer(),
    "probe": Name(empty=True),
    "until": Name(empty=True),
}
_ANY_NUMBER = Number(finite=False)


def _fields(quantity: str, value: Number) -> Fields:
    """A record whose samples hold ``value`` under ``quantity``; what later formats brought is optional."""
    sample = Fields(
        required={
            "block": Integer(-1, 2**31),
            "iterations": Integer(1, 2**63),
            quantity: Table(value),
            "warmup": Truth(),
            "flags": Each(Name()),
        },
        optional={"readings": Table(_ANY_NUMBER)},
    )
    return Fields(
        required={
            **_TRIAL,
            "status": OneOf(STATUSES),
            "reason": Text(),
            "origin": Text(),
            "samples": Each(sample),
            "errors": Table(_ANY_NUMBER),
            "limits": Table(_ANY_NUMBER),
            "checked": Table(Scalar()),
            "setup_ns": Table(Integer(0)),
            "calibration": Table(Number()),
            "flags": Each(Name()),
        },
        optional={
            "stopped": OneOf(get_args(Stopped)),
            "started_at": Maybe(Number()),
            "elapsed_s": Maybe(Number()),
            "fingerprint": Table(Text()),
            "batch": Text(),
            "batch_size": Integer(1, 2**31),
        },
    )


_RECORD: Mapping[str, Fields] = {
    "time": _fields("duration_ns", Number(negative=False, physical=True)),
    "memory": _fields("peak_bytes", Number(physical=True)),  # an allocator may hold less at the end than before
    "energy": _fields("energy_j", Number(physical=True)),  # the idle power that is subtracted has an error too
    "probe": _fields("value", Number()),
}
"""What a line must look like, by instrument."""


def _short(version: int) -> str:
    return str(version) if version.bit_length() < 64 else "of many digits"


def _portable(values: Mapping[str, float]) -> dict[str, float | str]:
    """JSON has no infinity and no NaN; they are written as the strings that ``float`` reads back."""
    return {name: value if math.isfinite(value) else str(value) for name, value in values.items()}
