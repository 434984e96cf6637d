"""Binned search in torch: all histograms of a level by one scatter-add of sums and one of counts."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from harness.contract import implements
from impls.building_blocks.gbdt.torch import fit, predict
from impls.building_blocks.trees.torch_binning import BINS, Table, bin_table
from suites.gbdt.suite import SUITE


def build(table: Table, residual: torch.Tensor, place: torch.Tensor, nodes: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Sums and counts (nodes, features, 256) of the rows whose ``place`` is not -1."""
    features = len(table.codes)
    rows = (place >= 0).nonzero().squeeze(1)
    first = torch.arange(features, device=rows.device)[:, None] * BINS + place[rows] * (features * BINS)
    index = (first + table.codes[:, rows]).flatten()
    size = nodes * features * BINS
    sums = torch.zeros(size, dtype=torch.float64, device=rows.device)
    sums.scatter_add_(0, index, residual[rows].repeat(features))
    counts = torch.bincount(index, minlength=size).double()
    return sums.view(nodes, features, BINS), counts.view(nodes, features, BINS)


@implements(SUITE, arrays="torch", devices=("cpu", "cuda"), kind="histogram")
def gbdt(
    x_train: torch.Tensor,
    y_train: torch.Tensor,
    x_test: torch.Tensor,
    loss: str,
    rounds: int,
    max_depth: int,
    max_leaves: int,
    shrinkage: float,
    bins: int,
    min_rows: int,
) -> Iterator[torch.Tensor | None]:
    table = bin_table(x_train, bins)
    trees, base = fit(table, y_train, loss, rounds, max_depth, max_leaves, shrinkage, min_rows, build)
    yield None
    yield predict(trees, base, shrinkage, x_test)
