"""scikit-learn's ExtraTreesClassifier: a random threshold per drawn feature, no search (Geurts et al. 2006)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from sklearn.ensemble import ExtraTreesClassifier

from harness.contract import implements, thread_count
from suites.random_forest.suite import SUITE


@implements(
    SUITE,
    library="scikit-learn",
    kind="library",
    phases=("fit", "predict"),
    limits={
        "n_rows": 100_000,
        "scope": ("per_split",),
        "data": ("higgs_shaped", "digits", "breast_cancer", "wine"),
    },
)
def random_forest(
    x_train: np.ndarray,
    y_train: np.ndarray,
    x_test: np.ndarray,
    n_classes: int,
    n_trees: int,
    max_features: int,
    scope: str,
    bootstrap: bool,
    seed: int,
) -> Iterator[np.ndarray | None]:
    model = ExtraTreesClassifier(
        n_estimators=n_trees,
        max_features=max_features,
        bootstrap=bootstrap,  # False by default
        random_state=seed,
        n_jobs=thread_count(),
    )
    model.fit(x_train, y_train)
    yield None
    yield np.asarray(model.predict_proba(x_test))
