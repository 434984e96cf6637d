"""torch: the scan over all features is one cumulative sum, on CPU or GPU; written for batches, here a batch of one."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from harness.contract import implements
from impls.building_blocks.adaboost.batched import boost, presort, score
from suites.adaboost.suite import SUITE


@implements(
    SUITE,
    arrays="torch",
    devices=("cpu", "cuda"),
    dtypes=("float64",),
    kind="exact",
    limits={"mode": ("reweight",)},
)
def adaboost(
    x_train: torch.Tensor, y_train: torch.Tensor, x_test: torch.Tensor, rounds: int, mode: str, seed: int
) -> Iterator[tuple[torch.Tensor, ...] | torch.Tensor | None]:
    columns = presort(x_train[None], y_train[None])
    yield None
    boosted = boost(columns, rounds)
    yield tuple(each[0] for each in boosted)
    yield score(boosted, x_test[None])[0]
