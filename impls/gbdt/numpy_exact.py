"""Exact search in NumPy, with a sort of every feature in every node (CART, Breiman et al. 1984)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from harness.contract import implements
from suites.gbdt.suite import LEAST_CLASS_SHARE, LEAST_HESSIAN, SUITE, TIE

Split = tuple[float, int, float]
"""Gain, feature, largest value on the left."""


@implements(
    SUITE,
    kind="exact",
    limits={
        "n_rows": 10_000,
        "data": (
            "higgs_shaped",
            "friedman1",
            "diabetes",
            "fair",
            "levels",
            "two_valued",
            "constant_feature",
            "constant_features",
            "one_class",
            "adjacent_floats",
            "repeated_feature",
        ),
    },
)
def gbdt(
    x_train: np.ndarray,
    y_train: np.ndarray,
    x_test: np.ndarray,
    loss: str,
    rounds: int,
    max_depth: int,
    max_leaves: int,
    shrinkage: float,
    bins: int,
    min_rows: int,
) -> Iterator[np.ndarray | None]:
    base = y_train.mean()
    if loss == "logistic":
        share = np.clip(base, LEAST_CLASS_SHARE, 1 - LEAST_CLASS_SHARE)
        base = np.log(share / (1 - share))
    scores = np.full(len(y_train), base)
    trees = []
    for _ in range(rounds):
        if loss == "logistic":
            p = 1 / (1 + np.exp(-scores))
            residual, hessian = y_train - p, p * (1 - p)
        else:
            residual, hessian = y_train - scores, np.ones_like(scores)
        tree = _Tree(x_train, residual, hessian, max_depth, max_leaves, min_rows)
        for rows, value in tree.leaves():
            scores[rows] += shrinkage * value
        trees.append(tree)
    yield None
    answer = np.full(len(x_test), base)
    for tree in trees:
        answer += shrinkage * tree.predict(x_test)
    yield answer


class _Tree:
    """Nodes in the order of their creation; ``splits`` maps a node to feature, threshold and left child."""

    def __init__(
        self,
        x: np.ndarray,
        residual: np.ndarray,
        hessian: np.ndarray,
        max_depth: int,
        max_leaves: int,
        min_rows: int,
    ) -> None:
        self.x, self.residual, self.hessian, self.min_rows = x, residual, hessian, min_rows
        self.rows, self.depth = [np.arange(len(x))], [0]
        self.splits: dict[int, tuple[int, np.float64, int]] = {}
        waiting: dict[int, Split] = {}
        fresh = [0]
        while True:
            for node in fresh:
                deep = max_depth and self.depth[node] >= max_depth
                split = None if deep else self._best_split(self.rows[node])
                if split is not None:
                    waiting[node] = split
            if not waiting or (max_leaves and len(self.splits) + 1 >= max_leaves):
                break
            largest = max(gain for gain, _, _ in waiting.values())
            node = next(node for node in sorted(waiting) if waiting[node][0] >= largest * (1 - TIE))
            fresh = self._split(node, waiting.pop(node))
        self.values = [
            residual[rows].sum() / max(hessian[rows].sum(), LEAST_HESSIAN) if node not in self.splits else 0.0
            for node, rows in enumerate(self.rows)
        ]

    def leaves(self) -> Iterator[tuple[np.ndarray, float]]:
        return ((rows, self.values[node]) for node, rows in enumerate(self.rows) if node not in self.splits)

    def predict(self, x: np.ndarray) -> np.ndarray:
        answer = np.empty(len(x))
        stack = [(0, np.arange(len(x)))]
        while stack:
            node, rows = stack.pop()
            if node not in self.splits:
                answer[rows] = self.values[node]
                continue
            feature, threshold, left = self.splits[node]
            goes_left = x[rows, feature] <= threshold
            stack += [(left, rows[goes_left]), (left + 1, rows[~goes_left])]
        return answer

    def _best_split(self, rows: np.ndarray) -> Split | None:
        """Score the cuts of all features at once, one column each."""
        count, least = len(rows), self.min_rows
        if count < 2 * least:
            return None
        x = self.x[rows]
        order = np.argsort(x, axis=0)
        values = np.take_along_axis(x, order, axis=0)
        left = np.cumsum(self.residual[rows][order], axis=0)
        total = left[-1]
        left_rows = np.arange(1, count)[:, None]
        score = left[:-1] ** 2 / left_rows + (total - left[:-1]) ** 2 / (count - left_rows)
        score[values[:-1] == values[1:]] = -1.0
        score[: least - 1] = score[count - least :] = -1.0
        best = score.max()
        if best < 0 or best - total[0] ** 2 / count <= TIE * best:
            return None
        feature, position = divmod(int(np.argmax((score >= best * (1 - TIE)).T)), count - 1)
        return best - total[feature] ** 2 / count, feature, values[position, feature]

    def _split(self, node: int, split: Split) -> list[int]:
        _, feature, value = split
        column, left = self.x[:, feature], len(self.rows)
        after = column[column > value].min()
        threshold = (np.float64(value) + np.float64(after)) / 2  # a Python float would be rounded to float32 to compare
        self.splits[node] = feature, threshold, left
        goes_left = column[self.rows[node]] <= value
        self.rows += [self.rows[node][goes_left], self.rows[node][~goes_left]]
        self.depth += [self.depth[node] + 1] * 2
        return [left, left + 1]
