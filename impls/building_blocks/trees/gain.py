"""What a split gains, as compiled functions that belong to a type: search is compiled once for each.

A topic with another gain defines a named tuple of its parameters and calls :func:`define_gain` with two plain
functions; passing such a tuple to :mod:`growth <impls.building_blocks.trees.growth>` or
:mod:`presorted <impls.building_blocks.trees.presorted>` then compiles the search with these. Numba's cache looks at the
files of the search only: after editing a gain, delete ``__pycache__`` of this folder.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from numba.extending import overload

TIE = 1e-10
"""Scores closer than this relative to the larger one are tied; a gain below this share of the score is none."""
NO_SPLIT = -1.0
"""Score of what cannot be split; every other score is at least 0."""
REORDER = {"nnan", "nsz", "contract"}
"""Freedom of rounding that lets candidates be scored several at once."""


def split_score(gain: Any, left: float, left_weight: float, right: float, right_weight: float) -> float:
    """Score of a split into sums and weights of both sides, at least 0; ``NO_SPLIT`` where it is not allowed."""
    raise NotImplementedError("only for compiled code")


def node_score(gain: Any, total: float, weight: float) -> float:
    """What the score of a split has to exceed in a node of this sum and weight."""
    raise NotImplementedError("only for compiled code")


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
