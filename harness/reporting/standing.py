"""Who is right: one line per contestant of a suite, from every record it has."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from harness.records import Record, Status
from harness.reporting import text
from harness.reporting.measures import Measures, Workload

Standing = Literal["right", "wrong", "failed", "unavailable"]
STANDINGS: tuple[Standing, ...] = ("right", "wrong", "failed", "unavailable")
_FAILURES: tuple[Status, ...] = ("failed", "timeout", "out_of_memory", "crashed")


@dataclass(frozen=True)
class Mishap:
    """Trials of one contestant that ended the same way for the same reason."""

    status: str
    reason: str
    where: tuple[str, ...]


@dataclass(frozen=True)
class Contestant:
    """How one implementation did.

    :param output: the output that comes nearest to its limit, or passes it furthest.
    :param error: that output's largest error against the reference, NaN where none was computed.
    :param limit: what is allowed; NaN where none is known.
    :param dtype: the dtype in which that happened.
    :param reduced: smaller cases that were checked in the place of those too large for the reference.
    """

    name: str
    title: str
    origin: str
    is_baseline: bool
    standing: Standing
    checks: int
    output: str
    error: float
    limit: float
    dtype: str
    mishaps: tuple[Mishap, ...]
    reduced: tuple[str, ...]

    @property
    def share_of_limit(self) -> float:
        if self.limit > 0:
            return self.error / self.limit
        return 0.0 if self.error == 0 else math.nan

    @property
    def used(self) -> str:
        """How much of what is allowed the largest error takes."""
        share = self.share_of_limit
        if not math.isfinite(share):
            return ""
        return f"{text.number(share)} times that" if share > 2 else f"{text.percent(share)} of it used"


def stand(measures: Measures, name: str, title: str) -> Contestant:
    """Right when no answer was wrong and some trial was finished; wrong with a single wrong answer."""
    records = [record for record in measures.records if record.trial.implementation == name]
    output, error, limit, dtype = _worst(records)
    return Contestant(
        name=name,
        title=title,
        origin=next((record.origin for record in records if record.origin), ""),
        is_baseline=name == measures.suite.baseline,
        standing=standing_of(records),
        checks=sum(bool(record.errors) for record in records),
        output=output,
        error=error,
        limit=limit,
        dtype=dtype,
        mishaps=_mishaps(measures, records),
        reduced=tuple(dict.fromkeys(_assignments(record.checked) for record in records if record.checked)),
    )


def standing_of(records: Sequence[Record]) -> Standing:
    statuses = Counter(record.status for record in records)
    if statuses["wrong"]:
        return "wrong"
    if statuses["ok"]:
        return "right"
    return "failed" if any(statuses[status] for status in _FAILURES) else "unavailable"


def _worst(records: Sequence[Record]) -> tuple[str, float, float, str]:
    worst, worst_excess = ("", math.nan, math.nan, ""), -math.inf
    for record in records:
        for output, error in record.errors.items():
            limit = record.limits.get(output, math.nan)
            excess = _excess(error, limit)
            if excess > worst_excess:
                worst, worst_excess = (output, error, limit, record.trial.dtype), excess
    return worst


def _excess(error: float, limit: float) -> float:
    """An order by which errors under different limits compare; an error that is no number is the worst."""
    if math.isnan(error):
        return math.inf
    if limit > 0:
        return error / limit
    return math.inf if error > 0 else 0.0


def _mishaps(measures: Measures, records: Sequence[Record]) -> tuple[Mishap, ...]:
    places: dict[tuple[str, str], list[str]] = {}
    for record in records:
        if record.status == "ok":
            continue
        trial = record.trial
        place = f"probe {trial.probe}" if trial.probe else Workload.of(trial).label(measures.fixed)
        places.setdefault((record.status, record.reason), []).append(place)
    return tuple(Mishap(status, reason, tuple(dict.fromkeys(where))) for (status, reason), where in places.items())


def _assignments(parameters: Mapping[str, object]) -> str:
    return " ".join(f"{name}={value}" for name, value in parameters.items())
