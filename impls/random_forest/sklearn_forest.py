"""scikit-learn's RandomForestClassifier: exact search by sorting in each node; one tree per thread."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from sklearn.ensemble import RandomForestClassifier

from harness.contract import implements, thread_count
from suites.random_forest.suite import SUITE


@implements(
    SUITE,
    library="scikit-learn",
    kind="library",
    phases=("fit", "predict"),  # it averages frequencies and has no hard vote
    limits={
        "n_rows": 100_000,
        "scope": ("per_split",),
        # Of three trees on a few dozen rows, grown from other draws, nothing can be told.
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
    model = RandomForestClassifier(
        n_estimators=n_trees,
        max_features=max_features,
        bootstrap=bootstrap,
        random_state=seed,
        n_jobs=thread_count(),
    )
    model.fit(x_train, y_train)
    yield None
    yield np.asarray(model.predict_proba(x_test))
