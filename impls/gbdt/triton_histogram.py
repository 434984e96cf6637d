"""Binned search with histograms from a Triton kernel, one program per node, feature and piece of the node's rows.

A program keeps its histogram in registers: each row is compared with all bins at once, which needs no atomic operation
per row. What is summed is an integer of 64 bits that holds count and sum (quantized gradients, Shi et al. 2022), so
that the result does not depend on the order in which programs finish.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import torch
import triton
import triton.language as tl

from harness.contract import implements
from impls.building_blocks.gbdt.torch import fit, predict
from impls.building_blocks.trees.torch_binning import BINS, Table, bin_table
from suites.gbdt.suite import SUITE

ROWS_AT_ONCE = 16
ROWS_PER_PROGRAM = 4096


@triton.jit
def add_rows(
    codes: Any,
    order: Any,
    addends: Any,
    starts: Any,
    histograms: Any,
    rows: Any,
    ROWS: tl.constexpr,  # noqa: N803
    N_BINS: tl.constexpr,  # noqa: N803
) -> None:
    """Add to ``histograms`` int64 (nodes, features, N_BINS); node k has ``order[starts[k]:starts[k + 1]]``."""
    node, feature, piece = tl.program_id(0), tl.program_id(1), tl.program_id(2)
    begin, end = tl.load(starts + node), tl.load(starts + node + 1)
    share = tl.cdiv(end - begin, tl.num_programs(2))
    first = begin + piece * share
    last = tl.minimum(first + share, end)
    bins = tl.arange(0, N_BINS)
    total = tl.zeros([N_BINS], dtype=tl.int64)
    for offset in range(first, last, ROWS):
        place = offset + tl.arange(0, ROWS)
        inside = place < last
        row = tl.load(order + place, mask=inside, other=0)
        code = tl.load(codes + feature.to(tl.int64) * rows + row, mask=inside, other=0).to(tl.int32)
        addend = tl.load(addends + row, mask=inside, other=0)
        total += tl.sum(tl.where(code[:, None] == bins[None, :], addend[:, None], 0), axis=0)
    target = (node.to(tl.int64) * tl.num_programs(1) + feature) * N_BINS
    tl.atomic_add(histograms + target + bins, total, mask=total != 0)


def build(table: Table, residual: torch.Tensor, place: torch.Tensor, nodes: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Sums and counts (nodes, features, 256) of the rows whose ``place`` is not -1."""
    features, rows = table.codes.shape
    count_bits = math.ceil(math.log2(rows + 1))
    largest = max(1e-300, float(residual.abs().max()))
    unit = 2.0 ** (math.ceil(math.log2(largest * rows)) - (62 - count_bits))
    addends = (torch.round(residual / unit).to(torch.int64) << count_bits) + 1
    by_node, order = torch.sort(place, stable=True)
    starts = torch.searchsorted(by_node, torch.arange(nodes + 1, device=place.device))
    histograms = torch.zeros((nodes, features, BINS), dtype=torch.int64, device=place.device)
    grid = (nodes, features, triton.cdiv(rows, ROWS_PER_PROGRAM * nodes))
    add_rows[grid](table.codes, order, addends, starts, histograms, rows, ROWS=ROWS_AT_ONCE, N_BINS=BINS)
    return (histograms >> count_bits).double() * unit, (histograms & ((1 << count_bits) - 1)).double()


@implements(SUITE, arrays="torch", devices=("cuda",), kind="histogram")
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
