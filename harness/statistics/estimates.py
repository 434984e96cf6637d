"""Estimates and the observations they are made from."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

Observations = Mapping[tuple[int, int], float]
"""Values by (round, block): a round is an independent process, a block the moment within it."""

CONFIDENCE = 0.95

# Fewer processes than this say too little about how processes differ: the largest and smallest of five bound their
# median with 93.75 % for any distribution, those of four with 87.5 %.
FEWEST_ROUNDS = 5

# Read by the report's description of how figures were taken; none but that of a model's error is resampled.


@dataclass(frozen=True)
class Estimate:
    """A value with an interval; both ends are NaN where there is too little to form one.

    :param count: how many observations it rests on.
    :param caution: what weakens the interval or why it was widened, in one sentence or several joined by semicolons;
        empty when nothing does. Two estimates that differ only in it are equal.
    """

    value: float
    low: float
    high: float
    count: int = 1
    caution: str = field(default="", compare=False)

    @classmethod
    def exact(cls, value: float) -> Estimate:
        """A count, which has no uncertainty."""
        return cls(value, value, value)

    @classmethod
    def without_interval(cls, value: float, count: int) -> Estimate:
        return cls(value, math.nan, math.nan, count)

    @property
    def has_interval(self) -> bool:
        return not (math.isnan(self.low) or math.isnan(self.high))

    @property
    def relative_half_width(self) -> float:
        """Half the interval as a share of the value; NaN without an interval, infinite around zero."""
        half = (self.high - self.low) / 2
        return half / abs(self.value) if self.value else (0.0 if half == 0 else math.copysign(math.inf, half))

    def scaled(self, factor: float) -> Estimate:
        """The estimate in another unit; ``factor`` is positive."""
        return replace(self, value=self.value * factor, low=self.low * factor, high=self.high * factor)

    def inverted(self) -> Estimate:
        """The estimate of the reciprocal of a positive quantity."""
        return replace(self, value=1 / self.value, low=1 / self.high, high=1 / self.low)


def joined(*cautions: str) -> str:
    """Several cautions as one, without empty ones and repeated clauses."""
    return "; ".join(dict.fromkeys(clause for caution in cautions if caution for clause in caution.split("; ")))
