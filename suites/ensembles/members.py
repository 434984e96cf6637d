"""The members that ensembles are made of, by name: factories from a seed to an estimator of scikit-learn.

An ensemble knows of a member only ``fit``, ``predict``, ``predict_proba`` where it has one, and ``classes_``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Make = Callable[[str, int], Any]
"""From a member's name and its seed to an estimator that was not fitted yet."""


def make_member(name: str, seed: int) -> Any:
    """A new estimator.

    :raises KeyError: there is no member of this name.
    """
    return FACTORIES[name](seed)


def _tree4(seed: int) -> Any:
    from sklearn.tree import DecisionTreeClassifier

    return DecisionTreeClassifier(max_depth=4, random_state=seed)


def _tree(seed: int) -> Any:
    from sklearn.tree import DecisionTreeClassifier

    return DecisionTreeClassifier(random_state=seed)


def _stump(seed: int) -> Any:
    from sklearn.tree import DecisionTreeClassifier

    return DecisionTreeClassifier(max_depth=1, random_state=seed)


def _regression_tree(seed: int) -> Any:
    from sklearn.tree import DecisionTreeRegressor

    return DecisionTreeRegressor(random_state=seed)


def _regression_stump(seed: int) -> Any:
    from sklearn.tree import DecisionTreeRegressor

    return DecisionTreeRegressor(max_depth=1, random_state=seed)


def _ridge(seed: int) -> Any:
    from sklearn.linear_model import Ridge

    return Ridge(alpha=RIDGE_PENALTY)


def _ridge_classifier(seed: int) -> Any:
    from sklearn.linear_model import RidgeClassifier

    return RidgeClassifier()


def _naive_bayes(seed: int) -> Any:
    from sklearn.naive_bayes import GaussianNB

    return GaussianNB()


def _knn5(seed: int) -> Any:
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(StandardScaler(), KNeighborsClassifier(5))


def _knn5_raw(seed: int) -> Any:
    from sklearn.neighbors import KNeighborsClassifier

    return KNeighborsClassifier(5)


def _logistic(seed: int) -> Any:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(StandardScaler(), LogisticRegression(max_iter=1_000))


def _logistic_raw(seed: int) -> Any:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(max_iter=1_000)


RIDGE_PENALTY = 1.0
FACTORIES: dict[str, Callable[[int], Any]] = {
    "tree4": _tree4,
    "tree": _tree,
    "stump": _stump,
    "regression_tree": _regression_tree,
    "regression_stump": _regression_stump,
    "ridge": _ridge,
    "ridge_classifier": _ridge_classifier,  # has no predict_proba
    "naive_bayes": _naive_bayes,
    "knn5": _knn5,
    "knn5_raw": _knn5_raw,
    "logistic": _logistic,
    "logistic_raw": _logistic_raw,
}
META = "logistic_raw"
"""What stacking and blending fit to the predictions of their members, which are probabilities already."""
