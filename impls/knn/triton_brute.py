"""Brute force in Triton: distances and top-k fused, splits of the points merged at the end, no (m, n) matrix.

Few dimensions are done by direct differences. From 16 on the tensor cores multiply, in three TF32 passes that keep
float32 precision; their squares cancel for close points, so centred data is searched for more than k candidates, whose
distances are evaluated again directly. A range is counted first and filled then.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
import triton

from harness.contract import implements
from impls.building_blocks.knn.checks import reject_nan, with_margin
from impls.building_blocks.knn.torch import TorchAnswer, offsets_of, rerank, sort_rows
from impls.building_blocks.knn.triton_kernels import nearest_kernel, range_kernel
from suites.knn.suite import SUITE

BLOCK_Q, BLOCK_N, BLOCK_D = 32, 128, 32
EXPANDED_FROM = 16
PROGRAMS = 1024  # enough for several on each multiprocessor of a large GPU


# Sorting networks of more than 64 keys take minutes to compile.
@implements(SUITE, arrays="torch", devices=("cuda",), dtypes=("float32",), limits={"k": 32})
def knn(
    points: Any, queries: Any, k: int, radius: float, closed: bool, search: str, metric: str
) -> Iterator[TorchAnswer | None]:
    reject_nan("points", points)
    expanded = search == "nearest" and metric == "l2" and points.shape[1] >= EXPANDED_FROM
    centre = points.mean(dim=0) if expanded else torch.zeros_like(points[0])
    centred = points - centre if expanded else points
    columns = centred.t().contiguous()
    lengths = centred.square().sum(dim=1)
    yield None
    reject_nan("queries", queries)
    if search == "range":
        yield _within(columns, queries.contiguous(), radius, closed, metric)
        return
    kept = with_margin(k, len(points)) if expanded else k
    moved = (queries - centre).contiguous()
    squares, chosen = _nearest(columns, lengths, moved, kept, metric, expanded)
    if expanded:
        yield rerank(points, queries, chosen, k)
    else:
        far = squares if metric == "linf" else squares.sqrt()
        counts = torch.full((len(queries),), k, device=queries.device)
        yield far.double().flatten(), chosen.flatten(), offsets_of(counts)


def _nearest(
    columns: torch.Tensor, lengths: torch.Tensor, queries: torch.Tensor, kept: int, metric: str, expanded: bool
) -> tuple[torch.Tensor, torch.Tensor]:
    """Distances (m, kept), squared for L2, and indices, ascending."""
    d, n = columns.shape
    m = len(queries)
    rows, tiles = triton.cdiv(m, BLOCK_Q), triton.cdiv(n, BLOCK_N)
    per_split = triton.cdiv(tiles, min(tiles, triton.cdiv(PROGRAMS, rows)))
    splits = triton.cdiv(tiles, per_split)
    width = max(2, triton.next_power_of_2(kept))
    keys = torch.empty((m, splits * width), dtype=torch.int64, device=queries.device)
    nearest_kernel[(rows, splits)](
        queries,
        columns,
        queries.square().sum(dim=1),
        lengths,
        keys,
        m,
        n,
        d,
        per_split,
        KEPT=width,
        BLOCK_Q=BLOCK_Q,
        BLOCK_N=max(BLOCK_N, width),
        BLOCK_D=BLOCK_D,
        LINF=metric == "linf",
        EXPANDED=expanded,
    )
    best = ~keys.topk(kept, dim=1, largest=True, sorted=True).values
    return (best >> 32).to(torch.int32).view(torch.float32), best & 0xFFFFFFFF


def _within(columns: torch.Tensor, queries: torch.Tensor, radius: float, closed: bool, metric: str) -> TorchAnswer:
    d, n = columns.shape
    m = len(queries)
    device = queries.device
    limit = radius if metric == "linf" else radius * radius
    grid = (triton.cdiv(m, BLOCK_Q),)
    counts = torch.zeros(m, dtype=torch.int64, device=device)
    distances = torch.empty(0, dtype=torch.float32, device=device)
    indices = torch.empty(0, dtype=torch.int64, device=device)
    shape = {"CLOSED": closed, "BLOCK_Q": BLOCK_Q, "BLOCK_N": BLOCK_N, "LINF": metric == "linf"}
    range_kernel[grid](queries, columns, limit, counts, counts, distances, indices, m, n, d, FILL=False, **shape)
    offsets = offsets_of(counts)
    total = int(offsets[-1])
    distances = torch.empty(total, dtype=torch.float32, device=device)
    indices = torch.empty(total, dtype=torch.int64, device=device)
    range_kernel[grid](queries, columns, limit, offsets, counts, distances, indices, m, n, d, FILL=True, **shape)
    order = sort_rows(torch.repeat_interleave(counts), distances)
    far = distances[order]
    return (far if metric == "linf" else far.sqrt()).double(), indices[order], offsets
