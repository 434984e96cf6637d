"""The regularised gain of second order for the tree core (Chen and Guestrin 2016, eq. 6 and 7, with an L1 term)."""

from __future__ import annotations

from typing import NamedTuple

from numba import njit

from impls.building_blocks.trees.gain import NO_SPLIT, define_gain
from suites.xgboost.model import Model


class RegularisedGain(NamedTuple):
    """T(G)^2 / (H + l2) of both sides less that of the node, T(G) = sign(G) max(|G| - l1, 0).

    Twice the gain of the paper, without the cost of a leaf. ``least_weight`` is the least H of a side.
    """

    l2: float
    l1: float
    least_weight: float


def gain_of(model: Model) -> RegularisedGain:
    return RegularisedGain(float(model.l2), float(model.l1), float(model.least_weight))


def _side(gain: RegularisedGain, total: float, weight: float) -> float:
    above, below = max(abs(total) - gain.l1, 0.0), weight + gain.l2
    return above * above / below if below > 0.0 else 0.0


side_score = njit(cache=True, inline="always")(_side)


def _split(gain: RegularisedGain, left: float, left_weight: float, right: float, right_weight: float) -> float:
    above, other = max(abs(left) - gain.l1, 0.0), max(abs(right) - gain.l1, 0.0)
    below, under = left_weight + gain.l2, right_weight + gain.l2
    if below > 0.0 and under > 0.0:
        score = (above * above * under + other * other * below) / (below * under)  # one division, not two
    else:
        score = side_score(gain, left, left_weight) + side_score(gain, right, right_weight)
    return score if min(left_weight, right_weight) >= gain.least_weight else NO_SPLIT


def _node(gain: RegularisedGain, total: float, weight: float) -> float:
    return side_score(gain, total, weight)


define_gain(RegularisedGain, _split, _node)
