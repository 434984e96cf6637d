"""When enough has been measured."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from harness.statistics.comparisons import log_ratios, paired_ratio
from harness.statistics.estimates import CONFIDENCE, FEWEST_ROUNDS, Estimate, Observations
from harness.statistics.location import median_estimate
from harness.statistics.replicates import Statistic, replicates
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

    Stopping as soon as an interval happens to be narrow makes intervals miss more often than they say, above all when
    few values can decide (Chow and Robbins 1965; Singham and Schruben 2012). The correction is a least number of
    independent values: correlated blocks count as the fewer independent ones that say as much. Both least numbers were
    chosen by simulation among several corrections (a wider margin, rarer looks, overshooting). Independent blocks then
    keep their coverage; blocks correlated by 0.3 to 0.6 fall to 91 to 93 % (``results/published/truths/coverage.csv``).

    :param target: half width of the interval as a share of the value.
    :param fewest_blocks: independent blocks that are taken at least while there are fewer than five processes; at 20
        the correlation of neighbours is known to about 0.2 and a normal scatter to a sixth.
    :param fewest_rounds: processes that are taken at least where there are five or more. Where their number is set
        beforehand and only the blocks within them are decided here, that number is right.
    """

    target: float = 0.02
    fewest_blocks: int = 20
    fewest_rounds: int = 10
    confidence: float = CONFIDENCE

    def judge(self, observations: Observations) -> Progress:
        """Progress of one contestant by the interval of its median; cheap enough to ask after every block."""
        if not observations or min(observations.values()) <= 0:
            return Progress("more", math.nan)
        if not self._enough(observations):
            return Progress("more", math.nan)
        estimate = median_estimate(observations, self.confidence)
        return self._judge(
            estimate, {block: math.log(value) for block, value in observations.items()}, statistic="median"
        )

    def judge_ratio(self, numerator: Observations, denominator: Observations) -> Progress:
        """Progress of a pair by the interval of its paired ratio.

        :raises ValueError: see :func:`harness.statistics.comparisons.paired_ratio`.
        """
        logs = log_ratios(numerator, denominator)
        if not self._enough(logs):
            return Progress("more", math.nan)
        return self._judge(paired_ratio(numerator, denominator, self.confidence), logs, statistic="pseudomedian")

    def _enough(self, observations: Observations) -> bool:
        rounds = len({number for number, _ in observations})
        return rounds >= self.fewest_rounds if rounds >= FEWEST_ROUNDS else len(observations) >= self.fewest_blocks

    def _judge(self, estimate: Estimate, logs: Observations, statistic: Statistic) -> Progress:
        width = estimate.relative_half_width
        if not width <= self.target:
            return Progress("more", width)
        rounds: dict[int, list[float]] = {}
        for (number, _), value in sorted(logs.items()):
            rounds.setdefault(number, []).append(value)
        if len(rounds) < FEWEST_ROUNDS and replicates(logs, statistic).effective_count < self.fewest_blocks:
            return Progress("more", width)
        change = self._trend([np.array(values) for values in rounds.values()])
        return Progress("trend" if change else "precise", width, change)

    def _trend(self, sequences: list[np.ndarray]) -> float:
        """Change over the newest process or over all alike, where it is both significant and worth the target."""
        for each in ([sequences[-1]], sequences):
            trend = monotone_trend(each)
            if trend.p_value < _TREND_LEVEL and abs(trend.change) > self.target:
                return trend.change
        return 0.0
