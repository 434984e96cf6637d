"""What the claims about forests score. The numbers come from forests grown by the implementation that is named.

``implementation.counters(x_train, y_train, n_classes, n_trees, max_features, scope, bootstrap, seed)`` returns the
fitted trees: ``tree_votes(x)``, the class that each tree votes for (trees, rows), and ``out_of_bag()``, whether it did
not draw a training row (trees, training rows). With ``n_classes`` 0 they are regression trees and have
``tree_values(x)``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from harness.contract import Implementation, Probe
from suites.random_forest.data import CLASSES, MAKERS, friedman1
from suites.random_forest.settings import features_drawn

Values = Mapping[str, Sequence[float]]
ARMS = (("per_tree", "log2"), ("per_split", "log2"), ("per_tree", "sqrt"), ("per_split", "sqrt"), ("per_split", "all"))
SIZES = (1, 2, 5, 10, 20, 50, 100)
"""Trees of the averages whose variance is taken, no tree being in two of them."""
PAIRED = 20
"""Further trees, from all pairs of which the covariance of two trees is taken."""


def accuracy(
    rng: np.random.Generator, implementation: Implementation, data: str, seeds: int = 20, n_trees: int = 100
) -> Values:
    """Accuracy in points by hard vote, five stratified folds for every seed, by scope and rule for the features drawn.

    All arms of a fold draw the same rows for their trees.
    """
    scores: dict[str, list[float]] = {f"{scope}_{rule}": [] for scope, rule in ARMS}
    for _ in range(seeds):
        x, y = _table(rng, data)
        for train, test in stratified_folds(y, 5):
            seed = int(rng.integers(2**31))
            for scope, rule in ARMS:
                drawn = features_drawn(rule, x.shape[1])
                answer = list(
                    implementation.function(
                        x[train], y[train], x[test], CLASSES[data], n_trees, drawn, scope, True, seed
                    )
                )
                scores[f"{scope}_{rule}"].append(100 * float(np.mean(answer[2].argmax(axis=1) == y[test])))
    return scores


def stratified_folds(y: np.ndarray, folds: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Row numbers to train on and to test on; every fold has its share of every class, up to one row."""
    fold = np.empty(len(y), dtype=np.int64)
    fold[np.argsort(y, kind="stable")] = np.arange(len(y)) % folds
    for number in range(folds):
        yield np.flatnonzero(fold != number), np.flatnonzero(fold == number)


def out_of_bag(
    rng: np.random.Generator, implementation: Implementation, data: str, splits: int = 20, n_trees: int = 500
) -> Values:
    """Out-of-bag and test errors of forests on halves of a table, with strength and correlation on the test half.

    ``z`` is the distance of the mean errors in standard errors of one split, and ``bound`` is Breiman's
    rho (1 - s^2) / s^2. Rows without any out-of-bag vote are counted and left out.
    """
    errors: list[tuple[float, float]] = []
    bounds, unseen = [], 0
    for _ in range(splits):
        x, y = _table(rng, data)
        half = len(y) // 2
        fitted = _counted(implementation, x[:half], y[:half], CLASSES[data], n_trees, int(rng.integers(2**31)))
        oob, left_out = out_of_bag_error(fitted.tree_votes(x[:half]), fitted.out_of_bag(), y[:half], CLASSES[data])
        votes = fitted.tree_votes(x[half:])
        test = float(np.mean(shares_of(votes, CLASSES[data]).argmax(axis=1) != y[half:]))
        errors.append((oob, test))
        strength, correlation = strength_and_correlation(votes, y[half:], CLASSES[data])
        bounds.append(correlation * (1 - strength**2) / strength**2)
        unseen += left_out
    oob_error, test_error = np.mean(errors, axis=0)
    e = (oob_error + test_error) / 2
    spread = np.sqrt(e * (1 - e) * (1 / half + 1 / (len(y) - half)))
    tests = np.array([test for _, test in errors])
    return {
        "z": [float(abs(oob_error - test_error) / spread)],
        "oob_error_pt": [100 * oob for oob, _ in errors],
        "test_error_pt": (100 * tests).tolist(),
        "bound": bounds,
        "largest_error_over_bound": [float(np.max(tests / bounds))],
        "bound_over_error": (np.array(bounds) / np.maximum(tests, 1 / (2 * (len(y) - half)))).tolist(),
        "rows_never_out_of_bag": [float(unseen)],
    }


def out_of_bag_error(votes: np.ndarray, is_out: np.ndarray, y: np.ndarray, n_classes: int) -> tuple[float, int]:
    """The share of rows that the majority of the trees that did not draw them gets wrong; how many have no such tree.

    ``votes`` and ``is_out`` are (trees, rows).
    """
    counts = np.stack([((votes == c) & is_out).sum(axis=0) for c in range(n_classes)], axis=1)
    voted = counts.any(axis=1)
    wrong = counts.argmax(axis=1)[voted] != y[voted]
    return (float(wrong.mean()) if voted.any() else 0.0), int((~voted).sum())


def shares_of(votes: np.ndarray, n_classes: int) -> np.ndarray:
    """The share of trees that vote for each class, float64 (rows, classes)."""
    return np.stack([(votes == c).mean(axis=0) for c in range(n_classes)], axis=1)


def strength_and_correlation(votes: np.ndarray, y: np.ndarray, n_classes: int) -> tuple[float, float]:
    """Breiman's s and mean correlation, from the raw margins -1, 0 and 1 of every tree and row."""
    shares = shares_of(votes, n_classes)
    shares[np.arange(len(y)), y] = -1.0
    rival = shares.argmax(axis=1)
    raw = (votes == y).astype(np.float64) - (votes == rival)
    margin = raw.mean(axis=0)
    return float(margin.mean()), float(margin.var() / raw.std(axis=1).mean() ** 2)


def variance_of_means(
    rng: np.random.Generator, implementation: Implementation, training_sets: int = 100, repeats: int = 5
) -> Values:
    """Friedman's first problem: the variance over training sets of means of M trees, as a line in 1/M.

    The intercept is compared with the covariance of two trees grown on the same training set, taken over all pairs of
    20 trees that are in none of the means. Variances and covariances are averaged over 500 test points.
    """
    fits, ratios = [], []
    drawn = features_drawn("log2", 10)
    for _ in range(repeats):
        x_test, _ = friedman1(rng, 500)
        means, trees = np.empty((training_sets, len(SIZES), 500)), np.empty((training_sets, PAIRED, 500))
        for number in range(training_sets):
            x, y = friedman1(rng, 300)
            fitted = _counted(implementation, _single(x), y, 0, sum(SIZES) + PAIRED, int(rng.integers(2**31)), drawn)
            values = fitted.tree_values(_single(x_test))
            trees[number] = values[:PAIRED]
            for k, part in enumerate(np.split(values[PAIRED:], np.cumsum(SIZES)[:-1])):
                means[number, k] = part.mean(axis=0)
        variances = means.var(axis=0, ddof=1).mean(axis=1)
        inverse = 1 / np.array(SIZES)
        slope, intercept = np.polyfit(inverse, variances, 1)
        left_over = ((variances - intercept - slope * inverse) ** 2).sum()
        fits.append(float(1 - left_over / ((variances - variances.mean()) ** 2).sum()))
        of_sum, of_each = trees.sum(axis=1).var(axis=0, ddof=1), trees.var(axis=0, ddof=1).sum(axis=0)
        covariance = (of_sum - of_each).mean() / (PAIRED * (PAIRED - 1))
        ratios.append(float(intercept / covariance))
    return {"r_squared": fits, "intercept_over_covariance": ratios}


def _table(rng: np.random.Generator, data: str) -> tuple[np.ndarray, np.ndarray]:
    x, y = MAKERS[data](rng, 0)
    return _single(x), y


def _single(x: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(x, dtype=np.float32)


def _counted(
    implementation: Implementation,
    x: np.ndarray,
    y: np.ndarray,
    n_classes: int,
    n_trees: int,
    seed: int,
    max_features: int = 0,
) -> Any:
    assert implementation.counters is not None
    drawn = max_features or features_drawn("log2", x.shape[1])
    return implementation.counters(x, y, n_classes, n_trees, drawn, "per_split", True, seed)


PROBES: Mapping[str, Probe] = {
    "accuracy": Probe(accuracy, unit="pt", timeout_s=1200.0),
    "out_of_bag": Probe(out_of_bag, unit="1", timeout_s=300.0),
    "variance_of_means": Probe(variance_of_means, unit="1", timeout_s=600.0),
}
