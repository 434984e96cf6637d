"""A fitted boosting model with what its search counted, for the suite's probes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit

from impls.building_blocks.trees.arrays import Forest, score
from impls.building_blocks.trees.histogram import add_rows, subtract


@dataclass(frozen=True)
class Builds:
    """The histograms of all searched nodes, built from their rows and by subtraction.

    :param updates: additions where the larger sibling is the parent less the smaller one, the roots' included.
    :param direct_updates: additions where every searched node is built from its rows.
    :param sum_difference: largest difference between both sums of a bin, over the largest sum in that node.
    :param count_differences: bins whose numbers of rows differ.
    """

    updates: int
    direct_updates: int
    sum_difference: float
    count_differences: int


@dataclass(frozen=True)
class Fitted:
    """Trees, the training set ``x``, ``y`` and ``codes`` (groups, rows, width: its bin numbers), and the settings."""

    forest: Forest
    base: float
    x: np.ndarray
    y: np.ndarray
    loss: str
    max_depth: int
    shrinkage: float
    min_rows: int
    codes: np.ndarray | None = None

    @property
    def candidates(self) -> int:
        return self.forest.candidates

    @property
    def updates(self) -> int:
        return self.forest.updates

    def scores(self, x: np.ndarray) -> np.ndarray:
        return score(self.forest, x, self.base, self.shrinkage)

    def staged_losses(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Mean squared error on ``x``, ``y`` after 0, 1, ... rounds, float64 (rounds + 1,)."""
        f = self.forest
        return _staged_losses(f.feature, f.threshold, f.left, f.value, f.depths, x, y, self.base, self.shrinkage)

    def compare_builds(self) -> Builds:
        """Build the histograms of every tree of a depth-wise model again, both ways."""
        if self.codes is None:
            raise ValueError("exact search has no histograms")
        recorder = _Recorder(self, np.concatenate(list(self.codes), axis=1)[:, : self.x.shape[1]].copy())
        scores = np.full(len(self.y), self.base)
        for tree in range(len(self.forest.sizes)):
            residual = self.y - (1.0 / (1.0 + np.exp(-scores)) if self.loss == "logistic" else scores)
            recorder.residual = residual
            rows = np.arange(len(self.y), dtype=np.int32)
            root = recorder.build(rows)
            recorder.direct_updates += recorder.last_updates
            recorder.updates += recorder.last_updates
            recorder.visit(tree, 0, 0, rows, root, scores)
        return Builds(recorder.updates, recorder.direct_updates, recorder.sum_difference, recorder.count_differences)


class _Recorder:
    """Walks a tree from its root, building each searched node's histogram in both ways."""

    def __init__(self, fitted: Fitted, codes: np.ndarray) -> None:
        self.fitted, self.codes = fitted, codes
        self.residual = np.empty(0)
        self.updates = self.direct_updates = self.last_updates = self.count_differences = 0
        self.sum_difference = 0.0

    def build(self, rows: np.ndarray) -> np.ndarray:
        features = self.codes.shape[1]
        histogram = np.zeros((features, 256, 2))
        self.last_updates = add_rows(histogram, features, self.codes, rows, self.residual[rows])
        return histogram

    def visit(
        self, tree: int, node: int, depth: int, rows: np.ndarray, histogram: np.ndarray, scores: np.ndarray
    ) -> None:
        f, forest = self.fitted, self.fitted.forest
        left = int(forest.left[tree, node])
        if left == node:
            scores[rows] += f.shrinkage * forest.value[tree, node]
            return
        goes_left = f.x[rows, forest.feature[tree, node]] <= forest.threshold[tree, node]
        sides = [(left, rows[goes_left]), (left + 1, rows[~goes_left])]
        sides.sort(key=lambda side: len(side[1]))
        (small, small_rows), (large, large_rows) = sides
        small_histogram = large_histogram = histogram
        if depth + 1 < f.max_depth and len(large_rows) >= 2 * f.min_rows:
            small_histogram = self.build(small_rows)
            self.updates += self.last_updates
            if len(small_rows) >= 2 * f.min_rows:
                self.direct_updates += self.last_updates
            large_histogram = histogram.copy()
            for own, other in zip(large_histogram, small_histogram, strict=True):
                subtract(own, other, len(own))
            self.compare(large_histogram, self.build(large_rows))
            self.direct_updates += self.last_updates
        self.visit(tree, small, depth + 1, small_rows, small_histogram, scores)
        self.visit(tree, large, depth + 1, large_rows, large_histogram, scores)

    def compare(self, subtracted: np.ndarray, direct: np.ndarray) -> None:
        difference = np.abs(subtracted[..., 0] - direct[..., 0]).max() / np.abs(direct[..., 0]).max()
        self.sum_difference = max(self.sum_difference, float(difference))
        self.count_differences += int(np.count_nonzero(subtracted[..., 1] != direct[..., 1]))


@njit(cache=True)
def _staged_losses(
    feature: np.ndarray,
    threshold: np.ndarray,
    left: np.ndarray,
    value: np.ndarray,
    depths: np.ndarray,
    x: np.ndarray,
    y: np.ndarray,
    base: float,
    shrinkage: float,
) -> np.ndarray:
    scores, losses = np.full(len(x), base), np.empty(len(depths) + 1)
    losses[0] = ((y - scores) ** 2).mean()
    for t in range(len(depths)):
        total = 0.0
        for i in range(len(x)):
            node = 0
            for _ in range(depths[t]):
                node = left[t, node] + (x[i, feature[t, node]] > threshold[t, node])
            scores[i] += shrinkage * value[t, node]
            total += (y[i] - scores[i]) ** 2
        losses[t + 1] = total / len(x)
    return losses
