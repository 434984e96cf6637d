"""What happens to a grown tree: splits that do not pay are taken back, leaves get their weights, scores move on."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from impls.building_blocks.trees.arrays import Forest
from impls.building_blocks.xgboost.fitted import Trees
from impls.building_blocks.xgboost.gain import RegularisedGain, side_score
from suites.xgboost.model import MOST_STEPS, STEP, Model


def finish_tree(
    trees: Trees,
    t: int,
    size: int,
    leaf_of_row: np.ndarray,
    sums: tuple[np.ndarray, np.ndarray, np.ndarray],
    gain: RegularisedGain,
    model: Model,
    y: np.ndarray,
    scores: np.ndarray,
) -> None:
    """Prune tree ``t`` of ``size`` nodes, weigh its leaves and add them to ``scores``.

    :param leaf_of_row: where each row ended before pruning, int32 (rows,); where it ends after it, on return.
    :param sums: by leaf before pruning, float64 (size,), of residuals, of the leaves' weights and of the splits'.
    """
    residuals, leaf_weights, covers = sums
    parent = _sum_up(trees.forest.left[t], size, residuals, leaf_weights, covers)
    trees.cover[t, :size] = covers[:size]
    _set_gains(trees.forest.left[t], size, residuals, covers, gain, trees.forest.gain[t])
    prune(trees.forest, t, size, 2.0 * model.gamma, trees.cover[t])
    _weigh(trees.forest.left[t], size, residuals, leaf_weights, gain, trees.forest.value[t])
    trees.forest.sizes[t] = size
    steps = trees.forest.value[t]
    _climb(trees.forest.left[t], parent, leaf_of_row)
    if model.order == "first":
        steps *= line_search(y, scores, steps, leaf_of_row, model.loss == "logistic")
    scores += model.shrinkage * steps[leaf_of_row]


@njit(cache=True)
def _sum_up(left: np.ndarray, size: int, residuals: np.ndarray, weights: np.ndarray, covers: np.ndarray) -> np.ndarray:
    """Add the children's sums to their parents'. Returns the parent of each node."""
    parent = np.zeros(size, dtype=np.int64)
    for node in range(size - 1, -1, -1):
        first = left[node]
        if first != node:
            parent[first] = parent[first + 1] = node
            residuals[node] = residuals[first] + residuals[first + 1]
            weights[node] = weights[first] + weights[first + 1]
            covers[node] = covers[first] + covers[first + 1]
    return parent


@njit(cache=True)
def _set_gains(
    left: np.ndarray, size: int, residuals: np.ndarray, covers: np.ndarray, gain: RegularisedGain, gains: np.ndarray
) -> None:
    """Gains anew from these sums: the search may have summed numbers of single precision."""
    for node in range(size):
        first = left[node]
        if first != node:
            sides = side_score(gain, residuals[first], covers[first])
            sides += side_score(gain, residuals[first + 1], covers[first + 1])
            gains[node] = sides - side_score(gain, residuals[node], covers[node])


@njit(cache=True)
def prune(forest: Forest, t: int, size: int, cost: float, cover: np.ndarray) -> None:
    """Turn splits between two leaves that gain less than ``cost`` into leaves, from below."""
    left = forest.left[t]
    for node in range(size - 1, -1, -1):
        first = left[node]
        if first == node or forest.gain[t, node] >= cost:
            continue
        if left[first] == first and left[first + 1] == first + 1:
            left[node], forest.threshold[t, node], forest.gain[t, node] = node, np.inf, 0.0


@njit(cache=True)
def _weigh(
    left: np.ndarray, size: int, residuals: np.ndarray, weights: np.ndarray, gain: RegularisedGain, value: np.ndarray
) -> None:
    for node in range(size):
        value[node] = 0.0
        below = weights[node] + gain.l2
        if left[node] == node and below > 0.0:
            value[node] = math.copysign(max(abs(residuals[node]) - gain.l1, 0.0), residuals[node]) / below


@njit(cache=True)
def _climb(left: np.ndarray, parent: np.ndarray, leaf_of_row: np.ndarray) -> None:
    """Move rows of nodes that were taken back to the leaf above them."""
    leaf = np.arange(len(parent))
    taken_back = False
    for node in range(1, len(parent)):  # parents come before their children
        above = leaf[parent[node]]
        if left[parent[node]] == parent[node] or above != parent[node]:
            leaf[node] = above
            taken_back = True
    if taken_back:
        for i in range(len(leaf_of_row)):
            leaf_of_row[i] = leaf[leaf_of_row[i]]


@njit(cache=True)
def line_search(y: np.ndarray, scores: np.ndarray, steps: np.ndarray, leaf_of_row: np.ndarray, logistic: bool) -> float:
    """The factor of ``steps`` (by leaf) with the least loss: Newton's method, kept between known signs of the slope."""
    low, high, factor = 0.0, np.inf, 0.0
    for _ in range(MOST_STEPS):
        slope = curvature = 0.0
        for i in range(len(y)):
            step = steps[leaf_of_row[i]]
            moved = scores[i] + factor * step
            p = 1.0 / (1.0 + math.exp(-moved)) if logistic else moved
            slope -= (y[i] - p) * step
            curvature += (p * (1.0 - p) if logistic else 1.0) * step * step
        if slope > 0.0:
            high = factor
        else:
            low = factor
        if not curvature > 0.0:
            break
        proposal = factor - slope / curvature
        if not low <= proposal <= high:
            proposal = (low + high) / 2 if high < np.inf else low
        distance = abs(proposal - factor)
        factor = proposal
        if distance <= STEP * max(1.0, abs(factor)):
            break
    return factor
