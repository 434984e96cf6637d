"""What a split gains, as compiled functions that belong to a type: search is compiled once for each.

Passing a named tuple of parameters to :mod:`growth <impls.building_blocks.trees.growth>` or
:mod:`presorted <impls.building_blocks.trees.presorted>` compiles the search with the two functions of its type. All
gains live in this file: Numba's cache names their types beside the search, and a type from a file that is gone could
not be loaded any more. After editing a gain, delete ``__pycache__`` of this folder, since that cache looks at the files
of the search only.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from numba import njit
from numba.extending import overload

TIE = 1e-10
"""Scores closer than this relative to the larger one are tied; a gain below this share of the score is none."""
NO_SPLIT = -1.0
"""Score of what cannot be split; every other score is at least 0."""
REORDER = {"nnan", "nsz", "contract"}
"""Freedom of rounding that lets candidates be scored several at once."""


def split_score(gain: Any, left: float, left_weight: float, right: float, right_weight: float) -> float:
    """Score of a split into sums and weights of both sides, at least 0; ``NO_SPLIT`` where it is not allowed."""
    raise NotImplementedError("only for compiled code")  # which takes the overload that define_gain gave it


def node_score(gain: Any, total: float, weight: float) -> float:
    """What the score of a split has to exceed in a node of this sum and weight."""
    raise NotImplementedError("only for compiled code")  # which takes the overload that define_gain gave it


def define_gain(kind: type, split: Callable[..., float], node: Callable[..., float]) -> None:
    """Let ``split`` and ``node`` be :func:`split_score` and :func:`node_score` where the gain is a ``kind``.

    Both are plain functions with the parameter names of those two.
    """

    @overload(split_score, jit_options={"fastmath": REORDER}, strict=False)  # annotations differ
    def choose_split_score(
        gain: Any, left: float, left_weight: float, right: float, right_weight: float
    ) -> Callable[..., float] | None:
        return split if getattr(gain, "instance_class", None) is kind else None

    @overload(node_score, jit_options={"fastmath": REORDER}, strict=False)  # annotations differ
    def choose_node_score(gain: Any, total: float, weight: float) -> Callable[..., float] | None:
        return node if getattr(gain, "instance_class", None) is kind else None


class MeanGain(NamedTuple):
    """Reduction of the squared error of the sums over their weights: L^2/w_L + R^2/w_R - (L + R)^2/(w_L + w_R)."""


def _mean_split(gain: MeanGain, left: float, left_weight: float, right: float, right_weight: float) -> float:
    return (left * left * right_weight + right * right * left_weight) / (left_weight * right_weight)


def _mean_node(gain: MeanGain, total: float, weight: float) -> float:
    return total * total / weight


define_gain(MeanGain, _mean_split, _mean_node)


class NewtonGain(NamedTuple):
    """Second-order gain of gradient sums G weighted by Hessian sums H (XGBoost, Chen and Guestrin 2016, eq. 7).

    A node is worth ``T(G)^2 / (H + l2) / 2`` where ``T`` moves G towards 0 by ``l1``; another leaf costs ``per_leaf``.
    Both sides weigh at least ``least_weight``.
    """

    l2: float
    l1: float
    per_leaf: float
    least_weight: float


@njit(cache=True, fastmath=REORDER)
def newton_worth(gain: NewtonGain, total: float, weight: float) -> float:
    """What a leaf of this sum takes off the objective, 0 where nothing would bound its value."""
    damped = weight + gain.l2
    shrunk = max(abs(total) - gain.l1, 0.0)
    return 0.5 * shrunk * shrunk / damped if damped > 0.0 else 0.0


def _newton_split(gain: NewtonGain, left: float, left_weight: float, right: float, right_weight: float) -> float:
    worth = newton_worth(gain, left, left_weight) + newton_worth(gain, right, right_weight)
    return worth if left_weight >= gain.least_weight and right_weight >= gain.least_weight else NO_SPLIT


def _newton_node(gain: NewtonGain, total: float, weight: float) -> float:
    return newton_worth(gain, total, weight) + gain.per_leaf


define_gain(NewtonGain, _newton_split, _newton_node)
