"""Bagged ridge regressions in torch: all members by one batched Cholesky decomposition, predictions by one product."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from harness.contract import implements
from impls.building_blocks.ensembles.batched_ridge import fit, predict
from suites.ensembles.suite import RIDGE_PENALTY, SUITE


@implements(
    SUITE,
    arrays="torch",
    devices=("cpu", "cuda"),
    dtypes=("float64",),
    kind="exact",
    limits={"method": ("bagging",), "members": ("ridge",)},
)
def ensemble(
    x_train: torch.Tensor,
    y_train: torch.Tensor,
    x_test: torch.Tensor,
    method: str,
    members: str,
    classes: int,
    seeds: torch.Tensor,
    bootstraps: torch.Tensor,
    folds: torch.Tensor,
) -> Iterator[torch.Tensor]:
    ridges = fit(x_train, y_train, bootstraps, RIDGE_PENALTY)
    yield torch.zeros((0, 0), dtype=torch.float64)
    yield predict(ridges, x_test)
