"""cuML's forest on a GPU: quantile bins, all nodes of a level at once."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from cuml.ensemble import RandomForestClassifier

from harness.contract import implements
from suites.random_forest.suite import SUITE

DEEPEST = 64
"""Deeper than any tree here grows; older releases stop at 16 by default."""


@implements(
    SUITE,
    library="cuML",
    arrays="torch",
    devices=("cuda",),
    kind="library",
    phases=("fit", "predict"),
    limits={"scope": ("per_split",), "data": ("higgs_shaped", "digits", "breast_cancer", "wine")},
)
def random_forest(
    x_train: torch.Tensor,
    y_train: torch.Tensor,
    x_test: torch.Tensor,
    n_classes: int,
    n_trees: int,
    max_features: int,
    scope: str,
    bootstrap: bool,
    seed: int,
) -> Iterator[torch.Tensor | None]:
    model = RandomForestClassifier(
        n_estimators=n_trees,
        max_features=max_features / x_train.shape[1],
        max_depth=DEEPEST,
        n_bins=256,  # 128 by default
        min_samples_leaf=1,
        min_samples_split=2,
        bootstrap=bootstrap,
        random_state=seed,
        output_type="cupy",
    )
    model.fit(x_train, y_train.int())
    torch.cuda.synchronize()
    yield None
    yield torch.as_tensor(model.predict_proba(x_test), device=x_test.device).double()
