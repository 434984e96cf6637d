"""mlxtend's StackingCVClassifier with the probabilities of its members."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from mlxtend.classifier import StackingCVClassifier

from harness.contract import implements, thread_count
from suites.ensembles.suite import META, SUITE, make_member


@implements(
    SUITE,
    library="mlxtend",
    dtypes=("float64",),
    kind="library",
    limits={"method": ("stacking",), "members": ("logistic+knn5+tree+naive_bayes",)},
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
    splits = [(np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)) for fold in np.unique(folds)]
    model = StackingCVClassifier(
        [make_member(name, int(seed)) for name, seed in zip(members.split("+"), seeds, strict=True)],
        make_member(META, 0),
        use_probas=True,
        drop_proba_col="first" if classes == 2 else None,
        cv=splits,
        shuffle=False,
        store_train_meta_features=True,
        n_jobs=thread_count(),
    )
    model.fit(x_train, y_train)
    yield model.train_meta_features_
    yield model.predict_proba(x_test)
