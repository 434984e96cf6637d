"""When enough has been measured."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from harness.statistics.comparisons import log_ratios, paired_ratio
from harness.statistics.estimates import CONFIDENCE, FEWEST_ROUNDS, Estimate, Observations
from harness.statistics.location import median_estimate
from harness.statistics.trend import monotone_trend

State = Literal["precise", "trend", "more"]

# A trend test at this level stops one steady contestant in twenty a little late and misses little.
_TREND_LEVEL = 0.05


@dataclass(frozen=True)
class Progress:
    """How far a contestant is.

    :param state: ``precise``: the interval is as narrow as asked; ``trend``: values still rise or fall, so an interval
        about their middle would describe nothing; ``more``: neither.
    :param relative_half_width: of the interval so far; NaN where there is none.
    :param change: how much a trend changes the values over a process, as a share; 0 where none was found.
    """

    state: State
    relative_half_width: float
    change: float = 0.0


@dataclass(frozen=True)
class StoppingRule:
    """Stop when the interval is as narrow as asked, but never inside a trend.

    Stopping as soon as an interval happens to be narrow makes intervals miss more often than they say (Chow and
    Robbins 1965, Singham and Schruben 2012), the more so the fewer values they rest on. Therefore the width is asked
    to be below the target even when enlarged by one standard error of a width, 1/sqrt(2 (n - 1)) of it, and n has a
    minimum.

    :param target: half width of the interval as a share of the value.
    :param fewest_blocks: blocks per process that are always taken.
    """

    target: float = 0.02
    fewest_blocks: int = 10
    confidence: float = CONFIDENCE

    def judge(self, observations: Observations) -> Progress:
        """Progress of one contestant by the interval of its median; cheap enough to ask after every block."""
        if not observations or min(observations.values()) <= 0:
            return Progress("more", math.nan)
        return self._judge({block: math.log(value) for block, value in observations.items()}, observations, None)

    def judge_ratio(self, numerator: Observations, denominator: Observations) -> Progress:
        """Progress of a pair by the interval of its paired ratio.

        :raises ValueError: see :func:`harness.statistics.comparisons.paired_ratio`.
        """
        return self._judge(log_ratios(numerator, denominator), numerator, denominator)

    def _judge(self, logs: Observations, above: Observations, below: Observations | None) -> Progress:
        rounds: dict[int, list[float]] = {}
        for (number, _), value in sorted(logs.items()):
            rounds.setdefault(number, []).append(value)
        if len(next(reversed(rounds.values()))) < self.fewest_blocks:
            return Progress("more", math.nan)
        if below is None:
            estimate = median_estimate(above, self.confidence)
        else:
            estimate = paired_ratio(above, below, self.confidence)
        replicates = len(rounds) if len(rounds) >= FEWEST_ROUNDS else len(logs)
        width = estimate.relative_half_width
        if not self._narrow(estimate, replicates):
            return Progress("more", width)
        change = self._trend([np.array(values) for values in rounds.values()])
        return Progress("trend" if change else "precise", width, change)

    def _narrow(self, estimate: Estimate, replicates: int) -> bool:
        if not estimate.has_interval:
            return False
        return estimate.relative_half_width * (1 + 1 / math.sqrt(2 * (replicates - 1))) <= self.target

    def _trend(self, sequences: list[np.ndarray]) -> float:
        """Change over the newest process or over all alike, where it is both significant and worth the target."""
        for each in ([sequences[-1]], sequences):
            trend = monotone_trend(each)
            if trend.p_value < _TREND_LEVEL and abs(trend.change) > self.target:
                return trend.change
        return 0.0
