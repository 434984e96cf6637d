"""What the claims about second-order boosting count and score.

``implementation.counters(x_train, values, columns, row_starts, y_train, model)`` of ours returns the fitted trees with
what fitting counted, see :class:`impls.building_blocks.xgboost.fitted.Fitted`: ``sorts``, ``entries``, ``steps``,
``sketches``, ``describe()`` and ``staged_losses(x, y)``.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from harness.contract import Implementation, Probe
from suites.gbdt.judging import area_under_curve
from suites.xgboost.data import MAKERS, REAL
from suites.xgboost.inputs import base_score, compress
from suites.xgboost.model import ABSENT, Model
from suites.xgboost.other_learners import boost_with, falling_rounds, ridge_on_some_features

Values = Mapping[str, Sequence[float]]
Table = tuple[np.ndarray, np.ndarray]
ORDERS = ("second", "newton_leaves", "first")
_MIN_ROWS = 20


def same_as_gbdt(rng: np.random.Generator, implementation: Implementation) -> Values:
    """Diabetes, 50 trees of depth 3: how far splits and leaves by Hessians are from those by rows, and a control.

    Differences are the largest of all training rows, over the standard deviation of the target.
    """
    x, y = _single(MAKERS["diabetes"](rng, 0, "squared"))
    model = _model(y, "squared", rounds=50, max_depth=3)
    second, newton, shrunk = (
        _answers(implementation, x, y, x, changed)
        for changed in (model, model._replace(order="newton_leaves"), model._replace(l2=1.0))
    )
    return {"difference": [_apart(second, newton, y)], "control": [_apart(second, shrunk, y)]}


def same_as_scikit_learn(rng: np.random.Generator, implementation: Implementation) -> Values:
    """The same with scikit-learn's gradient boosting on the other side."""
    from sklearn.ensemble import GradientBoostingRegressor

    x, y = _single(MAKERS["diabetes"](rng, 0, "squared"))
    model = _model(y, "squared", rounds=50, max_depth=3)
    other = GradientBoostingRegressor(n_estimators=50, learning_rate=0.1, max_depth=3, random_state=0)
    plain = other.fit(x, y).predict(x)
    second, shrunk = (_answers(implementation, x, y, x, changed) for changed in (model, model._replace(l2=1.0)))
    return {"difference": [_apart(second, plain, y)], "control": [_apart(second, shrunk, y)]}


def orders(
    rng: np.random.Generator, implementation: Implementation, data: str, n_rows: int, draws: int = 20, rounds: int = 200
) -> Values:
    """By order the logarithm of the least test loss, times 100, and rounds to one training loss over those of others.

    A difference of 1 is one per cent of the loss. The training loss is the highest that an order ends with, so that all
    of them reach it.
    """
    values: dict[str, list[float]] = {f"test_{order}": [] for order in ORDERS}
    values |= {f"rounds_over_{order}": [] for order in ORDERS[1:]}
    for (x, y), (x_test, y_test) in _splits(rng, data, n_rows, draws):
        model = _model(y, "logistic", rounds=rounds, max_depth=3)._replace(min_rows=_MIN_ROWS)
        training = {}
        for order in ORDERS:
            fitted = _fit(implementation, x, y, model._replace(order=order))
            training[order] = np.minimum.accumulate(fitted.staged_losses(x, y))
            values[f"test_{order}"].append(100 * math.log(float(fitted.staged_losses(x_test, y_test).min())))
        target = max(losses[-1] for losses in training.values())
        needed = {order: max(1, int(np.argmax(losses <= target))) for order, losses in training.items()}
        for order in ORDERS[1:]:
            values[f"rounds_over_{order}"].append(needed["second"] / needed[order])
    return values


def other_boosters(rng: np.random.Generator, implementation: Implementation) -> Values:
    """Whether XGBoost's linear booster and its boosted trees with dropout lower the loss, and trees in the former."""
    import xgboost

    x, y = _single(MAKERS["diabetes"](rng, 0, "squared"))
    table = xgboost.DMatrix(x, y)
    values: dict[str, list[float]] = {}
    for booster in ("gblinear", "dart"):
        history: dict[str, Any] = {}
        settings = {"booster": booster, "objective": "reg:squarederror", "base_score": float(y.mean())}
        fitted = xgboost.train(settings, table, 20, evals=[(table, "train")], evals_result=history, verbose_eval=False)
        losses = history["train"]["rmse"]
        values[f"{booster}_trains"] = [float(losses[-1] < min(losses[0], float(y.std())))]
        values[f"{booster}_trees"] = [float(sum("leaf=" in part for part in fitted.get_dump()))]
    return values


def other_learner(rng: np.random.Generator, implementation: None, draws: int = 20, rounds: int = 100) -> Values:
    """Rounds in a row, from the first on, in which ridge regression on three of ten features lowers the loss."""
    falling = []
    for _ in range(draws):
        x, y = MAKERS["diabetes"](rng, 0, "squared")
        losses = boost_with(ridge_on_some_features, x / x.std(axis=0), y, rounds, 0.1, rng)
        falling.append(float(falling_rounds(losses)))
    return {"falling_rounds": falling}


def sorts(rng: np.random.Generator, implementation: Implementation, n_rows: int, rounds: int = 5) -> Values:
    """Sorts per feature, the same per searched node, and how many further trees add."""
    x, y = _single(MAKERS["higgs_shaped"](rng, n_rows, "logistic"))
    model = _model(y, "squared", rounds=rounds, max_depth=6)  # the cover is then the number of rows
    fitted, single = (_fit(implementation, x, y, changed) for changed in (model, model._replace(rounds=1)))
    feature, _, _, cover, _, _ = fitted.describe()
    above_leaves = np.arange(model.tree_size) < model.tree_size // 2
    searched = int(np.count_nonzero((feature != ABSENT) & above_leaves & (cover >= 2)))
    return {
        "per_feature": [fitted.sorts / x.shape[1]],
        "per_node_and_feature": [fitted.sorts / (x.shape[1] * searched)],
        "of_further_trees": [float(fitted.sorts - single.sorts)],
    }


def candidate_steps(rng: np.random.Generator, implementation: Implementation, n_rows: int, bins: int = 255) -> Values:
    """Steps to the candidate of an entry, as they are and over the logarithm of the number of candidates."""
    x, y = _single(MAKERS["higgs_shaped"](rng, n_rows, "logistic"))
    model = _model(y, "logistic", rounds=2, max_depth=4)._replace(bins=bins)
    fitted = _fit(implementation, x, y, model)
    per_entry = fitted.steps / fitted.entries
    return {
        "per_entry": [per_entry],
        "over_log2": [per_entry / float(np.log2(np.concatenate(fitted.sketches)).mean())],
    }


def entries(
    rng: np.random.Generator, implementation: Implementation, data: str, n_rows: int, rounds: int = 3
) -> Values:
    """Entries visited over twice those that are there, and over all places of the table, for every searched level."""
    x, y = _single(MAKERS[data](rng, n_rows, "logistic"))
    model = _model(y, "logistic", rounds=rounds, max_depth=6)
    fitted = _fit(implementation, x, y, model, sparse=True)
    feature = fitted.describe()[0]
    levels = sum(
        int(np.any(tree[2**depth - 1 : 2 ** (depth + 1) - 1] != ABSENT))
        for tree in feature
        for depth in range(model.max_depth)
    )
    there = int(np.count_nonzero(~np.isnan(x)))
    return {
        "over_present": [fitted.entries / (2 * there * levels)],
        "over_all": [fitted.entries / (x.size * levels)],
        "density": [there / x.size],
    }


def auc(
    rng: np.random.Generator, implementation: Implementation, n_rows: int, rounds: int = 10, draws: int = 10
) -> Values:
    """AUC on 20,000 unseen rows, in each of several draws, of trees of depth 8."""
    scores = []
    for _ in range(draws):
        x, y = MAKERS["higgs_shaped"](rng, n_rows + 20_000, "logistic")
        x = np.ascontiguousarray(x, dtype=np.float32)
        model = _model(y[:n_rows], "logistic", rounds=rounds, max_depth=8)._replace(min_child_weight=1.0)
        answer = _answers(implementation, x[:n_rows], y[:n_rows], x[n_rows:], model)
        scores.append(area_under_curve(y[n_rows:], answer))
    return {"auc": scores}


def _model(y: np.ndarray, loss: str, rounds: int, max_depth: int) -> Model:
    """Shrinkage 0.1 and no penalty of any kind."""
    return Model(loss, "second", rounds, max_depth, 0.1, 0.0, 0.0, 0.0, 0.0, 1, 255, base_score(y, loss))


def _single(table: Table) -> Table:
    x, y = table
    return np.ascontiguousarray(x, dtype=np.float32), y


def _apart(one: np.ndarray, other: np.ndarray, y: np.ndarray) -> float:
    return float(np.max(np.abs(one - other)) / np.std(y))


def _fit(implementation: Implementation, x: np.ndarray, y: np.ndarray, model: Model, *, sparse: bool = False) -> Any:
    assert implementation.counters is not None
    return implementation.counters(x[: 0 if sparse else len(x)], *compress(x if sparse else x[:0]), y, model)


def _answers(
    implementation: Implementation, x: np.ndarray, y: np.ndarray, x_test: np.ndarray, model: Model
) -> np.ndarray:
    delivered = list(implementation.function(x, *compress(x[:0]), y, x_test, model))
    return np.asarray(delivered[2])


def _splits(rng: np.random.Generator, data: str, n_rows: int, draws: int) -> Iterator[tuple[Table, Table]]:
    """Training and test rows: three quarters of a real table drawn at random, or fresh draws of a synthetic one."""
    for _ in range(draws):
        x, y = _single(MAKERS[data](rng, n_rows + 20_000, "logistic"))
        n_train = 3 * len(y) // 4 if data in REAL else n_rows
        yield (x[:n_train], y[:n_train]), (x[n_train:], y[n_train:])


PROBES: Mapping[str, Probe] = {
    "same_as_gbdt": Probe(same_as_gbdt, unit="1"),
    "same_as_scikit_learn": Probe(same_as_scikit_learn, unit="1"),
    "orders": Probe(orders, unit="%", timeout_s=1200.0),
    "other_boosters": Probe(other_boosters, unit="1"),
    "other_learner": Probe(other_learner, unit="1"),
    "sorts": Probe(sorts, unit="1", timeout_s=600.0),
    "candidate_steps": Probe(candidate_steps, unit="1", timeout_s=300.0),
    "entries": Probe(entries, unit="1", timeout_s=300.0),
    "auc": Probe(auc, unit="1", timeout_s=1200.0),
}
