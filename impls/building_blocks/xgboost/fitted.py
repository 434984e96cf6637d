"""A boosted model of second order: its trees, what they answer, how they are described, and what fitting counted."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numba import njit, prange

from impls.building_blocks.trees.arrays import ROWS_AT_ONCE, Forest, empty_forest
from suites.xgboost.model import ABSENT, LEAF, Model


class Trees(NamedTuple):
    """The core's arrays, and by (round, node) what second order adds: ``cover`` float64 and ``default_left`` bool."""

    forest: Forest
    cover: np.ndarray
    default_left: np.ndarray


def empty_trees(rounds: int, nodes: int) -> Trees:
    """Room for ``rounds`` trees of at most ``nodes`` nodes, absent entries going left."""
    return Trees(empty_forest(rounds, nodes), np.zeros((rounds, nodes)), np.ones((rounds, nodes), dtype=np.bool_))


@dataclass(frozen=True)
class Fitted:
    """Trees and what fitting them counted.

    :param sorts: sorts of a column, or of a node's part of one.
    :param entries: visits to entries of the table by the search for splits.
    :param steps: steps of searches for the candidate that an entry belongs to.
    :param sketches: by tree how many candidates were proposed for each feature.
    """

    trees: Trees
    model: Model
    sorts: int = 0
    entries: int = 0
    steps: int = 0
    sketches: list[np.ndarray] = field(default_factory=list)

    def scores(self, x: np.ndarray) -> np.ndarray:
        """Raw scores float64 (rows,) of ``x`` (rows, features) float32, NaN where an entry is absent."""
        scores = np.full(len(x), self.model.base)
        self._add(scores, np.ascontiguousarray(x), 0, self.model.rounds)
        return scores

    def staged_losses(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Mean loss on ``x``, ``y`` after 0, 1, ... rounds, float64 (rounds + 1,); the squared one is halved."""
        x, scores, of_rows = np.ascontiguousarray(x), np.full(len(x), self.model.base), np.empty(len(x))
        losses = np.empty(self.model.rounds + 1)
        for t in range(len(losses)):
            if t > 0:
                self._add(scores, x, t - 1, t)
            _set_losses(y, scores, self.model.loss == "logistic", of_rows)
            losses[t] = of_rows.mean()
        return losses

    def _add(self, scores: np.ndarray, x: np.ndarray, first: int, last: int) -> None:
        """Add what the trees from ``first`` to before ``last`` answer."""
        forest, part = self.trees.forest, slice(first, last)
        _score(
            forest.feature[part],
            forest.threshold[part],
            forest.left[part],
            self.trees.default_left[part],
            forest.value[part],
            x,
            self.model.shrinkage,
            scores,
        )

    def describe(self) -> tuple[np.ndarray, ...]:
        """The trees as the suite describes them: feature, threshold, gain, cover, weight, default_left."""
        shape = (self.model.rounds, self.model.tree_size)
        feature, default_left = np.full(shape, ABSENT, dtype=np.int64), np.zeros(shape, dtype=np.int64)
        threshold, gain, cover, weight = (np.zeros(shape) for _ in range(4))
        _describe(self.trees, self.model.gamma, feature, threshold, gain, cover, weight, default_left)
        return feature, threshold, gain, cover, weight, default_left


@njit(cache=True)
def leaf_of(
    feature: np.ndarray, threshold: np.ndarray, left: np.ndarray, default_left: np.ndarray, row: np.ndarray
) -> int:
    """The leaf of one tree that ``row`` (features,) ends in."""
    node = 0
    while left[node] != node:
        value = row[feature[node]]
        right = not default_left[node] if math.isnan(value) else value > threshold[node]
        node = left[node] + right
    return node


@njit(cache=True, parallel=True)
def _score(
    feature: np.ndarray,
    threshold: np.ndarray,
    left: np.ndarray,
    default_left: np.ndarray,
    value: np.ndarray,
    x: np.ndarray,
    shrinkage: float,
    scores: np.ndarray,
) -> None:
    rows = len(x)
    for block in prange((rows + ROWS_AT_ONCE - 1) // ROWS_AT_ONCE):
        first, last = block * ROWS_AT_ONCE, min(rows, (block + 1) * ROWS_AT_ONCE)
        for t in range(len(value)):
            for i in range(first, last):
                node = leaf_of(feature[t], threshold[t], left[t], default_left[t], x[i])
                scores[i] += shrinkage * value[t, node]


@njit(cache=True, parallel=True)
def _set_losses(y: np.ndarray, scores: np.ndarray, logistic: bool, losses: np.ndarray) -> None:
    """Write the loss of each row."""
    for i in prange(len(y)):
        if logistic:
            losses[i] = max(scores[i], 0.0) + math.log1p(math.exp(-abs(scores[i]))) - y[i] * scores[i]
        else:
            losses[i] = (y[i] - scores[i]) ** 2 / 2


@njit(cache=True)
def _describe(
    trees: Trees,
    gamma: float,
    feature: np.ndarray,
    threshold: np.ndarray,
    gain: np.ndarray,
    cover: np.ndarray,
    weight: np.ndarray,
    default_left: np.ndarray,
) -> None:
    forest = trees.forest
    rounds, size = feature.shape
    node_at = np.empty(size, dtype=np.int64)
    for t in range(rounds):
        node_at[:] = -1
        node_at[0] = 0
        for place in range(size):
            node = node_at[place]
            if node < 0:
                continue
            cover[t, place] = trees.cover[t, node]
            left = forest.left[t, node]
            if left == node:
                feature[t, place], weight[t, place] = LEAF, forest.value[t, node]
                continue
            node_at[2 * place + 1], node_at[2 * place + 2] = left, left + 1
            feature[t, place], threshold[t, place] = forest.feature[t, node], forest.threshold[t, node]
            gain[t, place] = forest.gain[t, node] / 2 - gamma
            default_left[t, place] = trees.default_left[t, node]
