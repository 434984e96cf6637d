"""The forest of scikit-learn-intelex, which grows trees with oneDAL on binned features."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from sklearnex.ensemble import RandomForestClassifier

from harness.contract import implements, thread_count
from suites.random_forest.suite import SUITE


@implements(
    SUITE,
    library="scikit-learn-intelex",
    kind="library",
    phases=("fit", "predict"),
    limits={"scope": ("per_split",), "data": ("higgs_shaped", "digits", "breast_cancer", "wine")},
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
    model = RandomForestClassifier(
        n_estimators=n_trees,
        max_features=max_features,
        bootstrap=bootstrap,
        random_state=seed,
        n_jobs=thread_count(),
    )
    model.fit(x_train, y_train)
    yield None
    yield np.asarray(model.predict_proba(x_test), dtype=np.float64)
