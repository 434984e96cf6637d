"""Where a process has settled."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from harness.statistics.trend import monotone_trend

# More than this share of the second half as far out as the leading samples makes them nothing unusual.
_USUAL_SHARE = 0.05
_FEWEST_SAMPLES = 6
# Robust standard deviations: samples further out are drawn in to there, leading means further out are warm-up.
_FAR = 3.0
# The standard deviation of a normal sample in units of its median absolute deviation.
_NORMAL_PER_MAD = 1.4826
_TREND_LEVEL = 0.01
# A steady state may wander by this share; what an adaptive measurement aims at by default.
_NEGLIGIBLE_CHANGE = 0.02


@dataclass(frozen=True)
class WarmUp:
    """The leading samples of a process that are not like the rest.

    :param count: how many; at most half of them.
    :param steady: the rest stays where it is. If not, no part of the sequence stands for the steady cost.
    :param reason: why not, in words; empty when steady.
    """

    count: int
    steady: bool
    reason: str = ""


def find_warmup(durations: Sequence[float]) -> WarmUp:
    """Warm-up of one process from the durations of its first samples in order, in any unit.

    The cut minimises the squared standard error of the mean of what remains (MSER: White 1997, An effective
    truncation heuristic for bias reduction in simulation output), on logarithms, after drawing samples that lie
    outside the scatter of the second half in to its edge, so that neither a spike nor the size of a compilation
    decides. A cut counts only if the samples before it lie, in the mean, outside that scatter, and one of them where
    hardly any of the second half are: a periodic cost has no warm-up. As Barrett et al. 2017 (Virtual machine warmup
    blows hot and cold) found, a steady state need not come: none was reached if the best cut takes as much as it may,
    half of the samples, or if what remains has a monotone trend of more than 2 %. With fewer than about 20 samples a
    step after the first half and a slow drift are often not seen.

    :raises ValueError: a duration is not positive.
    """
    values = np.asarray(durations, dtype=float)
    if np.any(values <= 0):
        raise ValueError(f"durations are positive, found {values.min()}")
    if len(values) < _FEWEST_SAMPLES:
        return WarmUp(0, False, f"{len(values)} samples are too few to tell, at least {_FEWEST_SAMPLES} are needed")
    logs = np.log(values)
    tail = logs[len(logs) // 2 :]
    centre = float(np.median(tail))
    spread = _NORMAL_PER_MAD * float(np.median(np.abs(tail - centre)))
    cut = _best_cut(np.clip(logs, centre - _FAR * spread, centre + _FAR * spread) if spread else logs)
    if not _beyond_scatter(logs[:cut], centre, spread):
        cut = 0
    elif cut == len(logs) // 2:
        return WarmUp(cut, False, "no steady state within these samples: the cost kept changing")
    elif not _unusual(logs[:cut], tail, centre):
        cut = 0
    trend = monotone_trend([logs[cut:]])
    if trend.p_value < _TREND_LEVEL and abs(trend.change) > _NEGLIGIBLE_CHANGE:
        return WarmUp(cut, False, f"no steady state within these samples: a trend of {trend.change:+.1%} remains")
    return WarmUp(cut, True)


def _best_cut(values: np.ndarray) -> int:
    """Where the sum of squares of the rest over the square of its length is least, within the first half."""
    backwards = values[::-1] - values[-1]
    lengths = np.arange(1, len(values) + 1)
    sums, squares = np.cumsum(backwards), np.cumsum(backwards**2)
    scatter = (squares - sums**2 / lengths).clip(0) / lengths**2
    shortest = len(values) - len(values) // 2
    remaining = lengths[shortest - 1 :]
    errors = scatter[shortest - 1 :]
    # The longest remainder among equals, so that constant values need no warm-up.
    best = int(remaining[np.flatnonzero(errors <= errors.min() * (1 + 1e-12))[-1]])
    return len(values) - best


def _beyond_scatter(leading: np.ndarray, centre: float, spread: float) -> bool:
    return bool(len(leading)) and abs(float(leading.mean()) - centre) > _FAR * spread / math.sqrt(len(leading))


def _unusual(leading: np.ndarray, tail: np.ndarray, centre: float) -> bool:
    """Whether the furthest leading sample lies further out than the tail goes by itself."""
    furthest = leading[np.argmax(np.abs(leading - centre))]
    as_far = np.mean(tail >= furthest) if furthest > centre else np.mean(tail <= furthest)
    return bool(as_far <= _USUAL_SHARE)
