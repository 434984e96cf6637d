"""What is fitted, as one value that every implementation is handed, and the form in which trees are described."""

from __future__ import annotations

from typing import NamedTuple

TIE = 1e-10
"""Scores closer than this relative to the larger one are tied; a gain below this share of the score is none."""
LEAST_CLASS_SHARE = 1e-12
"""The mean of a binary target is kept this far from 0 and 1 before its log-odds are taken."""
LEAF, ABSENT = -1, -2
"""In place of a feature: the node is a leaf, or the tree has no such node."""
MOST_STEPS = 100
"""Newton steps of a line search at most; where the classes are separated there is no minimum to end at."""
STEP = 1e-10
"""A line search ends when a step is shorter than this, relative to the larger of 1 and the distance covered."""


class Model(NamedTuple):
    """The settings of a boosted model.

    :param loss: ``squared`` or ``logistic``.
    :param order: ``second``: splits and leaves are weighted with Hessians (XGBoost). ``newton_leaves``: splits on
        residuals with unit weights, Newton steps in the leaves (Friedman's TreeBoost). ``first``: splits and leaves
        with unit weights, one line search along each tree (Friedman's Algorithm 1).
    :param l2: lambda, L2 penalty on leaf weights, at least 0.
    :param l1: alpha, L1 penalty on leaf weights, at least 0.
    :param gamma: cost per leaf on the paper's scale, with the factor of one half in the gain.
    :param min_child_weight: least sum of the splits' weights on each side: of Hessians in ``second`` order, else rows.
    :param min_rows: fewest rows on each side.
    :param bins: candidates per feature at most, plus one, for implementations that do not search exactly.
    :param base: the raw score to start from.
    """

    loss: str
    order: str
    rounds: int
    max_depth: int
    shrinkage: float
    l2: float
    l1: float
    gamma: float
    min_child_weight: float
    min_rows: int
    bins: int
    base: float

    @property
    def least_weight(self) -> float:
        """``min_child_weight`` less what rounding may take from a sum that equals it."""
        return self.min_child_weight * (1 - TIE)

    @property
    def tree_size(self) -> int:
        """Places of a full tree: the children of node i are at 2 i + 1 and 2 i + 2."""
        return int(2 ** (self.max_depth + 1) - 1)
