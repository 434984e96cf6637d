"""What the parts of asv's files must look like."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from harness.shapes import Each, Fields, Maybe, Misfit, Name, Number, Shape, Table, Text

_LATEST_MS = datetime(9999, 1, 1, tzinfo=UTC).timestamp() * 1000


@dataclass(frozen=True)
class Timestamp:
    """Milliseconds since 1970 of a moment that a calendar can hold."""

    def read(self, value: Any) -> float:
        found = Number(negative=False).read(value)
        if found > _LATEST_MS:
            raise Misfit(f"is {found:g}, must be milliseconds since 1970")
        return found


@dataclass(frozen=True)
class Count:
    """A number of CPUs, which asv asks its user for as a text; ``None`` where the answer was no number."""

    def read(self, value: Any) -> int | None:
        if isinstance(value, str):
            digits = value.strip()
            return int(digits) if digits.isascii() and digits.isdecimal() and len(digits) < 8 else None
        return value if type(value) is int and 0 < value < 2**20 else None


@dataclass(frozen=True)
class Measured:
    """A result, NaN and the infinities included; a finite one is of a size that something in the world can have."""

    def read(self, value: Any) -> float:
        found = Number(finite=False).read(value)
        return Number(physical=True).read(found) if math.isfinite(found) else found


@dataclass(frozen=True)
class OneOrEach:
    """A list, or one value in its place, as the first format has where there are no parameters."""

    shape: Shape

    def read(self, value: Any) -> tuple[Any, ...]:
        return Each(self.shape).read(value if isinstance(value, list | tuple) else [value])


@dataclass(frozen=True)
class Unread:
    """Any value, which something else reads later."""

    def read(self, value: Any) -> Any:
        return value


_VALUES = Maybe(Each(Maybe(Measured())))
ROW = Fields(
    optional={
        "result": _VALUES,
        "params": Maybe(Each(Each(Name(empty=True)))),
        "version": Maybe(Text()),
        "started_at": Maybe(Timestamp()),
        "stats_ci_99_a": _VALUES,
        "stats_ci_99_b": _VALUES,
        "stats_q_25": _VALUES,
        "stats_q_75": _VALUES,
        "stats_repeat": Maybe(Each(Maybe(Number(negative=False)))),
        "samples": Maybe(Each(Maybe(Each(Measured())))),
    }
)
"""What a benchmark's results hold by the names of the columns."""
RESULTS_2 = Fields(required={"result_columns": Each(Name(), most=1000), "results": Table(Each(Unread(), most=1000))})
RESULTS_1 = Fields(
    required={"results": Table(Unread())},
    optional={"started_at": Table(Unread()), "benchmark_version": Table(Unread())},
)
RESULT_1 = Fields(
    required={"result": OneOrEach(Unread())},
    optional={"params": Unread(), "samples": Unread(), "stats": Maybe(OneOrEach(Unread()))},
)
STATS_1 = Fields(
    optional={
        "ci_99": Each(Measured(), most=2),
        "q_25": Measured(),
        "q_75": Measured(),
        "repeat": Number(negative=False),
    }
)
HEAD = Fields(
    required={
        "commit_hash": Name(),
        "params": Fields(optional={"machine": Name(), "cpu": Text(), "num_cpu": Count(), "arch": Text()}),
        "results": Unread(),
    },
    optional={"date": Maybe(Timestamp())},
)
BENCHMARK = Fields(required={"unit": Text()})
