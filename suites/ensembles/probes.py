"""What the claims about ensembles count and score.

``implementation.counters(inputs, make, leaky=False)`` is an ensemble whose ``fit()`` returns a model with ``scores(x)``
and ``out_of_fold``, made of the members that ``make(name, seed)`` gives; its ``batches`` are the numbers of fits that
could run at the same time, in order (:class:`impls.building_blocks.ensembles.opened.Opened`).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from harness.contract import Implementation, Probe
from suites.ensembles.data import MAKERS, REGRESSION, friedman1_mean
from suites.ensembles.dissecting import jackknife, shares
from suites.ensembles.members import META, make_member

Values = Mapping[str, Sequence[float]]
FOLDS = 5
THREE, FOUR = "tree4+naive_bayes+{knn}", "logistic+knn5+tree+naive_bayes"
SIZES: Mapping[str, tuple[int, ...]] = {
    "digits": (50, 100, 200, 400, 800, 1_600),
    "breast_cancer": (50, 100, 200, 400),
    "moons": (50, 100, 200, 400, 800, 1_600),
    "friedman1": (50, 100, 200, 400, 800, 1_600),
}
GAIN_TEST_ROWS = {"digits": 197, "breast_cancer": 169, "moons": 1_000, "friedman1": 1_000}
BAGGED, BOOSTED = 100, 300


def voters(rng: np.random.Generator, implementation: Implementation | None) -> Values:
    """Independent voters of accuracy p: the formula for three of them, the exact binomial, and a simulation."""
    grid = [k / 100 for k in range(51, 91)]
    identity = [abs(3 * p**2 - 2 * p**3 - majority_accuracy(p, 3)) for p in grid]
    wrong_sign = [(majority_accuracy(k / 100, 3) > k / 100) != (k > 50) for k in range(1, 100) if k != 50]
    needed = next(count for count in range(1, 200, 2) if majority_accuracy(0.6, count) >= 0.9)
    streams = rng.spawn(3)
    right = sum((stream.random(100_000) < 0.6).astype(int) for stream in streams)
    return {
        "identity_difference": [max(identity)],
        "wrong_signs": [float(sum(wrong_sign))],
        "voters_for_90_percent": [float(needed)],
        "simulated_less_exact_pt": (100 * (np.asarray(right >= 2).reshape(100, -1).mean(axis=1) - 0.648)).tolist(),
    }


def majority_accuracy(p: float, count: int) -> float:
    """Chance that more than half of an odd number of independent voters are right."""
    return math.fsum(math.comb(count, k) * p**k * (1 - p) ** (count - k) for k in range(count // 2 + 1, count + 1))


def majority(
    rng: np.random.Generator, implementation: Implementation, data: str, knn: str, repeats: int = 20
) -> Values:
    """Accuracy in points of a hard vote of three classifiers and of its members, on ``repeats`` times five folds.

    ``best_pt`` is the member that five inner folds of the training rows favour, ``hindsight_pt`` the best on the test
    rows. ``disagreement`` is the share of rows on which two members differ.
    """
    members = THREE.format(knn=knn)
    values: dict[str, list[float]] = {
        name: [] for name in ("vote_pt", "best_pt", "hindsight_pt", "mean_pt", "disagreement")
    }
    for x, y, train, test in _folds(rng, data, repeats):
        made: list[Any] = []
        inputs = _inputs(x[train], y[train], "hard_vote", members, int(y.max()) + 1, rng, 3)
        model = _opened(implementation, inputs, lambda name, seed, made=made: _keep(made, name, seed)).fit()
        said = np.stack([each.predict(x[test]) for each in made])
        own = 100 * (said == y[test]).mean(axis=1)
        inner = np.zeros(3)
        part = rng.permutation(np.arange(len(train)) % FOLDS)
        for fold in range(FOLDS):
            kept, left = train[part != fold], train[part == fold]
            for i, name in enumerate(members.split("+")):
                member = make_member(name, int(inputs["seeds"][i])).fit(x[kept], y[kept])
                inner[i] += np.sum(member.predict(x[left]) == y[left])
        values["vote_pt"].append(_accuracy_pt(model.scores(x[test]), y[test]))
        values["best_pt"].append(float(own[inner.argmax()]))
        values["hindsight_pt"].append(float(own.max()))
        values["mean_pt"].append(float(own.mean()))
        values["disagreement"].append(
            float(np.mean([(said[i] != said[j]).mean() for i, j in ((0, 1), (0, 2), (1, 2))]))
        )
    return values


def bagging_gain(rng: np.random.Generator, implementation: Implementation, draws: int = 50) -> Values:
    """Slope of the gain of 100 bagged trees over one tree on log2 of the training rows, by draw and set.

    The gain is in points of accuracy, for friedman1 in points of R^2. ``pooled`` holds the slopes of all sets.
    """
    values: dict[str, list[float]] = {"pooled": []}
    for data, sizes in SIZES.items():
        gains = np.array([[_gain(rng, implementation, data, rows) for rows in sizes] for _ in range(draws)])
        places = np.log2(sizes) - np.mean(np.log2(sizes))
        slopes = (gains @ places / (places @ places)).tolist()
        values[f"slope_{data}"] = slopes
        values["pooled"] += slopes
        for rows, column in zip(sizes, gains.T, strict=True):
            values[f"gain_{data}_{rows}"] = column.tolist()
    return values


def _gain(rng: np.random.Generator, implementation: Implementation, data: str, rows: int) -> float:
    x, y = MAKERS[data](rng, rows + GAIN_TEST_ROWS[data])
    test = slice(len(y) - GAIN_TEST_ROWS[data], None)
    regression = data in REGRESSION
    name = "regression_tree" if regression else "tree"
    inputs = _inputs(x[:rows], y[:rows], "bagging", name, 0 if regression else int(y.max()) + 1, rng, BAGGED)
    scores = _opened(implementation, inputs).fit().scores(x[test])
    single = make_member(name, int(inputs["seeds"][0])).fit(x[:rows], y[:rows]).predict(x[test])
    if regression:
        spread = np.mean((y[test] - y[test].mean()) ** 2)
        return float(100 * (np.mean((single - y[test]) ** 2) - np.mean((scores[:, 0] - y[test]) ** 2)) / spread)
    return _accuracy_pt(scores, y[test]) - 100 * float(np.mean(single == y[test]))


def bias_variance(rng: np.random.Generator, implementation: Implementation, training_sets: int = 50) -> Values:
    """Bias and variance on friedman1 without noise: a deep tree against 100 bagged, a stump against 300 boosted.

    Ratios of averages over training sets come as jackknife pseudo-values, one for each training set.
    """
    x_test = MAKERS["friedman1"](rng, 1_000)[0]
    names = ("tree", "bagged", "stump", "boosted")
    predictions: dict[str, list[np.ndarray]] = {name: [] for name in names}
    for _ in range(training_sets):
        x, y = MAKERS["friedman1"](rng, 300)
        for alone, together, method, member, count in (
            ("tree", "bagged", "bagging", "regression_tree", BAGGED),
            ("stump", "boosted", "gradient_boosting", "regression_stump", BOOSTED),
        ):
            inputs = _inputs(x, y, method, member, 0, rng, count)
            predictions[together].append(_opened(implementation, inputs).fit().scores(x_test)[:, 0])
            predictions[alone].append(make_member(member, int(inputs["seeds"][0])).fit(x, y).predict(x_test))
    tables = {name: np.stack(predictions[name]) for name in names}
    target = friedman1_mean(x_test)

    def ratio(above: str, below: str, part: str, less: float) -> list[float]:
        def statistic(kept: np.ndarray) -> float:
            return shares(tables[above][kept], target)[part] / shares(tables[below][kept], target)[part] - less

        return jackknife(statistic, training_sets)

    whole = {name: shares(table, target) for name, table in tables.items()}
    return {
        "variance_bagged_over_tree": ratio("bagged", "tree", "variance", 0.0),
        "bias_change_by_bagging": ratio("bagged", "tree", "squared_bias", 1.0),
        "bias_boosted_over_stump": ratio("boosted", "stump", "squared_bias", 0.0),
        **{f"{part}_{name}": [value] for name, parts in whole.items() for part, value in parts.items()},
    }


def stacking(rng: np.random.Generator, implementation: Implementation, data: str, repeats: int = 4) -> Values:
    """Accuracy in points of a stacked model and of its members, honest and leaky, on ``repeats`` times five folds.

    ``best_pt`` is the member of most right answers out of fold. The gap is the accuracy on the table that the
    meta-learner was fitted to less that on test rows.
    """
    names = ("stack_pt", "best_pt", "hindsight_pt", "leaky_train_pt", "leaky_test_pt", "honest_gap_pt", "leaky_gap_pt")
    values: dict[str, list[float]] = {name: [] for name in names}
    for x, y, train, test in _folds(rng, data, repeats):
        classes = int(y.max()) + 1
        inputs = _inputs(x[train], y[train], "stacking", FOUR, classes, rng, 4)
        made: list[Any] = []
        honest = _opened(implementation, inputs, lambda name, seed, made=made: _keep(made, name, seed)).fit()
        leaky = _opened(implementation, inputs, leaky=True).fit()
        own = [100 * float(np.mean(each.predict(x[test]) == y[test])) for each in made[-5:-1]]
        columns = np.split(honest.out_of_fold, 4, axis=1)
        said = [np.rint(each[:, 0]) if classes == 2 else each.argmax(axis=1) for each in columns]
        best = int(np.argmax([np.mean(each == y[train]) for each in said]))
        on_tables = [_refitted_accuracy_pt(model.out_of_fold, y[train]) for model in (honest, leaky)]
        on_test = [_accuracy_pt(model.scores(x[test]), y[test]) for model in (honest, leaky)]
        row = (on_test[0], own[best], max(own), on_tables[1], on_test[1])
        for name, value in zip(names, (*row, on_tables[0] - on_test[0], on_tables[1] - on_test[1]), strict=True):
            values[name].append(value)
    return values


def fit_counts(
    rng: np.random.Generator, implementation: Implementation, method: str, members: str, count: int
) -> Values:
    """Calls of ``fit`` of all members and meta-learners, and how many of them must wait for one another."""
    data = "friedman1" if members.startswith("regression") else "breast_cancer"
    x, y = MAKERS[data](rng, 300)
    calls: list[str] = []
    inputs = _inputs(x, y, method, members, 0 if data in REGRESSION else 2, rng, count)
    ensemble = _opened(implementation, inputs, lambda name, seed: _Counted(name, seed, calls))
    ensemble.fit()
    return {
        "fits": [float(len(calls))],
        "meta_fits": [float(calls.count(META))],
        "critical_path": [float(len(ensemble.batches))],
    }


class _Counted:
    """A member that writes its name down whenever it is fitted."""

    def __init__(self, name: str, seed: int, calls: list[str]) -> None:
        self._name, self._calls, self._member = name, calls, make_member(name, seed)

    def fit(self, *arguments: Any, **keywords: Any) -> Any:
        self._calls.append(self._name)
        return self._member.fit(*arguments, **keywords)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._member, name)


def _keep(made: list[Any], name: str, seed: int) -> Any:
    made.append(make_member(name, seed))
    return made[-1]


def _opened(
    implementation: Implementation, inputs: dict[str, Any], make: Any = make_member, leaky: bool = False
) -> Any:
    assert implementation.counters is not None
    return implementation.counters(inputs, make, leaky)


def _inputs(
    x: np.ndarray, y: np.ndarray, method: str, members: str, classes: int, rng: np.random.Generator, count: int
) -> dict[str, Any]:
    return {
        "x_train": x,
        "y_train": y,
        "method": method,
        "members": members,
        "classes": classes,
        "seeds": rng.integers(2**31, size=count),
        "bootstraps": rng.integers(len(y), size=(count, len(y))),
        "folds": rng.permutation(np.arange(len(y)) % FOLDS),
    }


def _folds(
    rng: np.random.Generator, data: str, repeats: int
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]]:
    """Tables with the row numbers to train on and to test on: five folds, ``repeats`` times over."""
    for _ in range(repeats):
        x, y = MAKERS[data](rng, 0)
        for test in np.array_split(np.arange(len(y)), FOLDS):
            yield x, y, np.setdiff1d(np.arange(len(y)), test), test


def _accuracy_pt(scores: np.ndarray, y: np.ndarray) -> float:
    return 100 * float(np.mean(scores.argmax(axis=1) == y))


def _refitted_accuracy_pt(table: np.ndarray, y: np.ndarray) -> float:
    return 100 * float(np.mean(make_member(META, 0).fit(table, y).predict(table) == y))


PROBES: Mapping[str, Probe] = {
    "voters": Probe(voters, unit="1"),
    "majority": Probe(majority, unit="pt", timeout_s=1200.0),
    "bagging_gain": Probe(bagging_gain, unit="pt", timeout_s=3600.0),
    "bias_variance": Probe(bias_variance, unit="1", timeout_s=1200.0),
    "stacking": Probe(stacking, unit="pt", timeout_s=3600.0),
    "fit_counts": Probe(fit_counts, unit="fits"),
}
