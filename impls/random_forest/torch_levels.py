"""Level-wise growth in torch: one sort per level and drawn feature serves all nodes of all trees."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from harness.contract import implements
from impls.building_blocks.random_forest.torch_levels import columns_of, grow, leaves_of
from suites.random_forest.suite import SUITE


@implements(SUITE, arrays="torch", devices=("cpu", "cuda"), kind="exact")
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
    if not bool(torch.isfinite(x_train).all()):
        raise ValueError("x_train holds a value that is not finite; drop or fill those rows first")
    table = columns_of(x_train)
    trees = grow(table, y_train, n_classes, n_trees, max_features, scope == "per_tree", bootstrap, seed)
    yield None
    frequencies = trees.counts.double() / trees.counts.sum(dim=1, keepdim=True)
    probability = torch.zeros((len(x_test), n_classes), dtype=torch.float64, device=x_test.device)
    for leaf in leaves_of(trees, x_test, n_trees):
        probability += frequencies[leaf]
    yield probability / n_trees
    majority = trees.counts.argmax(dim=1)
    winners = majority[leaves_of(trees, x_test, n_trees)]
    yield torch.nn.functional.one_hot(winners, n_classes).double().mean(dim=0)
