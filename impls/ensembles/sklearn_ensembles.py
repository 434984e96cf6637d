"""scikit-learn's VotingClassifier, BaggingClassifier and -Regressor, AdaBoost, gradient boosting and stacking."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    BaggingRegressor,
    GradientBoostingRegressor,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.linear_model import LogisticRegression

from harness.contract import implements, thread_count
from suites.ensembles.suite import SHRINKAGE, SUITE, make_member


class Keeping(LogisticRegression):  # type: ignore[misc] # scikit-learn has no types
    """Keeps the table that it was fitted to, which a stacked model does not give away."""

    def fit(self, table: np.ndarray, y: np.ndarray, sample_weight: np.ndarray | None = None) -> Keeping:
        self.table_ = table
        super().fit(table, y, sample_weight)
        return self


@implements(
    SUITE,
    library="scikit-learn",
    dtypes=("float64",),
    kind="library",
    # Its soft votes and bags want members with probabilities; it has no blending.
    limits={
        "method": ("hard_vote", "soft_vote", "bagging", "adaboost", "gradient_boosting", "stacking"),
        "members": (
            "ridge",
            "tree",
            "stump",
            "regression_stump",
            "tree4+naive_bayes+knn5",
            "logistic+knn5+tree+naive_bayes",
        ),
    },
)
def ensemble(
    x_train: np.ndarray,
    y_train: np.ndarray,
    x_test: np.ndarray,
    method: str,
    members: str,
    classes: int,
    seeds: np.ndarray,
    bootstraps: np.ndarray,
    folds: np.ndarray,
) -> Iterator[np.ndarray]:
    named = [(f"{i}_{name}", make_member(name, int(seeds[i]))) for i, name in enumerate(members.split("+"))]
    model = _model(method, named, classes, len(seeds), folds).fit(x_train, y_train)
    yield model.final_estimator_.table_ if method == "stacking" else np.zeros((0, 0))
    if not classes:
        yield model.predict(x_test)[:, None]
    elif method == "hard_vote":
        yield np.eye(classes)[model.predict(x_test)]
    elif method == "adaboost":
        held = zip(model.estimators_, model.estimator_weights_, strict=False)
        total = sum(weight * np.eye(classes)[each.predict(x_test)] for each, weight in held)
        yield total / model.estimator_weights_.sum()
    else:
        yield model.predict_proba(x_test)


def _model(method: str, named: list[tuple[str, Any]], classes: int, count: int, folds: np.ndarray) -> Any:
    member, jobs = named[0][1], thread_count()
    match method:
        case "hard_vote" | "soft_vote":
            return VotingClassifier(named, voting=method.removesuffix("_vote"), n_jobs=jobs)
        case "bagging":
            kind = BaggingClassifier if classes else BaggingRegressor
            return kind(member, n_estimators=count, n_jobs=jobs, random_state=0)
        case "adaboost":
            return AdaBoostClassifier(member, n_estimators=count, random_state=0)
        case "gradient_boosting":
            return GradientBoostingRegressor(n_estimators=count, learning_rate=SHRINKAGE, max_depth=1, random_state=0)
        case _:
            splits = [(np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)) for fold in np.unique(folds)]
            return StackingClassifier(named, Keeping(max_iter=1_000), cv=splits, n_jobs=jobs)
