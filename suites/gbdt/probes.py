"""What the claims about boosting count and score. The numbers come from fits by the implementation that is named.

``implementation.counters(x_train, y_train, loss, rounds, max_depth, max_leaves, shrinkage, bins, min_rows)`` returns
the fitted trees (``forest``, arrays by round and node), ``candidates`` and ``updates`` as counted by the search,
``staged_losses(x, y)``, the mean squared error after each number of rounds, and, for histograms,
``compare_builds()``, see :class:`impls.building_blocks.gbdt.fitted.Fitted`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from harness.contract import Implementation, Probe
from suites.gbdt.data import MAKERS, REAL
from suites.gbdt.judging import area_under_curve

Values = Mapping[str, Sequence[float]]
_DEPTH, _MIN_ROWS = 6, 20
SHRINKAGES = (1.0, 0.3, 0.1, 0.03)
MOST_ROUNDS = 3_000


def candidates(
    rng: np.random.Generator, implementation: Implementation, data: str, n_rows: int, bins: int, rounds: int = 1
) -> Values:
    """Splits examined, over what the definition of the search says, and per node and feature."""
    x, y = MAKERS[data](rng, n_rows, "")
    x = np.ascontiguousarray(x, dtype=np.float32)
    fitted = _counted(implementation, x, y, "squared", rounds, bins)
    places = [bin_count(column, bins) - 1 for column in x.T]
    wanted = searched = 0
    for tree in range(rounds):
        for rows in searched_nodes(fitted.forest, tree, x):
            searched += 1
            if implementation.kind == "histogram":
                wanted += sum(places)
            else:
                wanted += sum(int(np.count_nonzero(np.diff(np.sort(column[rows])))) for column in x.T)
    return {
        "over_formula": [fitted.candidates / wanted],
        "per_node_and_feature": [fitted.candidates / (searched * x.shape[1])],
    }


def bin_count(column: np.ndarray, bins: int) -> int:
    """Bins of one feature by the suite's rule, counted from its sorted values."""
    values = np.sort(column)
    distinct = np.unique(values)
    if len(distinct) <= bins:
        return len(distinct)
    cuts = {float(values[-(-k * len(values) // bins) - 1]) for k in range(1, bins)}
    return len(cuts - {float(values[-1])}) + 1


def searched_nodes(forest: Any, tree: int, x: np.ndarray) -> Iterator[np.ndarray]:
    """Row numbers of each node of a depth-wise tree that is shallow and large enough to be searched."""
    stack = [(0, 0, np.arange(len(x)))]
    while stack:
        node, depth, rows = stack.pop()
        if depth < _DEPTH and len(rows) >= 2 * _MIN_ROWS:
            yield rows
        left = int(forest.left[tree, node])
        if left != node:
            goes_left = x[rows, forest.feature[tree, node]] <= forest.threshold[tree, node]
            stack += [(left, depth + 1, rows[goes_left]), (left + 1, depth + 1, rows[~goes_left])]


def sibling_subtraction(
    rng: np.random.Generator, implementation: Implementation, data: str, n_rows: int, loss: str, rounds: int = 5
) -> Values:
    """Histogram updates below the root with and without subtraction, and how far the histograms are apart.

    Every histogram of the fitted trees is built both ways. The sums differ relative to the sum of the absolute
    residuals in the bin.
    """
    x, y = MAKERS[data](rng, n_rows, loss)
    fitted = _counted(implementation, np.ascontiguousarray(x, dtype=np.float32), y, loss, rounds, 255)
    builds = fitted.compare_builds()
    at_the_roots = rounds * x.shape[0] * x.shape[1]
    return {
        "update_share": [(fitted.updates - at_the_roots) / (builds.direct_updates - at_the_roots)],
        "sum_difference": [builds.sum_difference],
        "count_differences": [float(builds.count_differences)],
    }


def auc(
    rng: np.random.Generator, implementation: Implementation, data: str, n_rows: int, bins: int, draws: int = 20
) -> Values:
    """AUC in points on unseen rows: fresh draws of a synthetic table, or five folds, four times over, of a real one."""
    scores = []
    for x, y, train, test in _splits(rng, data, n_rows, draws):
        answer = list(
            implementation.function(x[train], y[train], x[test], "logistic", 20, _DEPTH, 0, 0.1, bins, _MIN_ROWS)
        )
        scores.append(100 * area_under_curve(y[test], answer[-1]))
    return {"auc_pt": scores}


def rounds_to_best(rng: np.random.Generator, implementation: Implementation, draws: int = 20) -> Values:
    """Friedman's first problem: the best number of rounds on a validation set, and the test error there, by shrinkage.

    Training goes on until one and a half times the best number of rounds, or 3,000 (``cut_short`` counts those).
    """
    values: dict[str, list[float]] = {f"mse_{shrinkage:g}": [] for shrinkage in SHRINKAGES}
    spreads: dict[str, list[float]] = {"argmin": [], "near": []}
    cut_short = []
    for _ in range(draws):
        tables = [MAKERS["friedman1"](rng, rows, "squared") for rows in (1_000, 10_000, 10_000)]
        train, validation, test = ((np.ascontiguousarray(x, dtype=np.float32), y) for x, y in tables)
        products: dict[str, list[float]] = {name: [] for name in spreads}
        short = 0
        for shrinkage in SHRINKAGES:
            fitted, losses = _train_past_best(implementation, train, validation, shrinkage)
            best = int(np.argmin(losses))
            short += 1.5 * best > len(losses) - 1
            near = int(np.argmax(losses <= 1.01 * losses[best]))
            values[f"mse_{shrinkage:g}"].append(float(fitted.staged_losses(*test)[best]))
            products["argmin"].append(max(1, best) * shrinkage)
            products["near"].append(max(1, near) * shrinkage)
        cut_short.append(float(short))
        for name, found in products.items():
            spreads[name].append(max(found) / min(found))
    pairs = np.array([spreads["argmin"], spreads["near"]])
    return {
        **values,
        "argmin_spread": spreads["argmin"],
        "near_spread": spreads["near"],
        "larger_spread": pairs.max(axis=0).tolist(),
        "smaller_spread": pairs.min(axis=0).tolist(),
        "cut_short": cut_short,
    }


def _train_past_best(
    implementation: Implementation,
    train: tuple[np.ndarray, np.ndarray],
    validation: tuple[np.ndarray, np.ndarray],
    shrinkage: float,
) -> tuple[Any, np.ndarray]:
    """Fit until the least validation error lies in the first two thirds of the rounds, or for the most rounds."""
    assert implementation.counters is not None
    rounds = min(MOST_ROUNDS, int(100 / shrinkage))
    while True:
        fitted = implementation.counters(*train, "squared", rounds, 4, 0, shrinkage, 255, _MIN_ROWS)
        losses = fitted.staged_losses(*validation)
        if rounds == MOST_ROUNDS or 1.5 * int(np.argmin(losses)) <= rounds:
            return fitted, losses
        rounds = min(MOST_ROUNDS, 2 * rounds)


def _counted(implementation: Implementation, x: np.ndarray, y: np.ndarray, loss: str, rounds: int, bins: int) -> Any:
    assert implementation.counters is not None
    return implementation.counters(x, y, loss, rounds, _DEPTH, 0, 0.1, bins, _MIN_ROWS)


def _splits(
    rng: np.random.Generator, data: str, n_rows: int, draws: int
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]]:
    """``draws`` tables with the row numbers to train on and to test on."""
    if data not in REAL:
        for _ in range(draws):
            x, y = MAKERS[data](rng, n_rows + 20_000, "logistic")
            yield x.astype(np.float32), y, np.arange(n_rows), np.arange(n_rows, n_rows + 20_000)
        return
    for _ in range(draws // 5):
        x, y = MAKERS[data](rng, 0, "logistic")
        order = np.arange(len(y))
        for test in np.array_split(order, 5):
            yield x.astype(np.float32), y, np.setdiff1d(order, test), test


PROBES: Mapping[str, Probe] = {
    "candidates": Probe(candidates, unit="1"),
    "sibling_subtraction": Probe(sibling_subtraction, unit="1"),
    "auc": Probe(auc, unit="pt", timeout_s=600.0),
    "rounds_to_best": Probe(rounds_to_best, unit="1", timeout_s=1200.0),
}
