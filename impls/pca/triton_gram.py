"""Centring and the products of columns in one Triton kernel, of the lower triangle only; then torch's eigenvectors.

The centred table is never written: a program subtracts the mean from the tiles that it multiplies. Products have full
float32 precision, which TF32 has not. The rows are split among programs, whose parts are added in a fixed order.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
import triton
import triton.language as tl

from harness.contract import implements
from impls.building_blocks.pca.ends import require_rows
from impls.building_blocks.pca.torch import TorchFitted, leading, project
from suites.pca.suite import SUITE

TILE, ROWS = 64, 32
PROGRAMS = 1024
"""Enough for several on each multiprocessor of a large GPU."""


@triton.jit
def centred_products(
    x: Any,
    mean: Any,
    parts: Any,
    n: Any,
    d: Any,
    rows_per_split: Any,
    TILE: tl.constexpr,  # noqa: N803
    ROWS: tl.constexpr,  # noqa: N803
) -> None:
    """Write to ``parts`` (splits, d, d) the tiles on and below the diagonal of the sum over a split's rows."""
    down, across, split = tl.program_id(0), tl.program_id(1), tl.program_id(2)
    if across > down:
        return
    left = down * TILE + tl.arange(0, TILE)
    right = across * TILE + tl.arange(0, TILE)
    left_mean = tl.load(mean + left, mask=left < d, other=0.0)
    right_mean = tl.load(mean + right, mask=right < d, other=0.0)
    total = tl.zeros([TILE, TILE], dtype=tl.float32)
    first = split * rows_per_split
    last = tl.minimum(first + rows_per_split, n)
    for start in range(first, last, ROWS):
        row = start + tl.arange(0, ROWS)
        place = row.to(tl.int64)[:, None] * d
        inside = (row < last)[:, None]
        a = tl.load(x + place + left[None, :], mask=inside & (left < d)[None, :], other=0.0) - left_mean[None, :]
        b = tl.load(x + place + right[None, :], mask=inside & (right < d)[None, :], other=0.0) - right_mean[None, :]
        a = tl.where(inside, a, 0.0)
        b = tl.where(inside, b, 0.0)
        total += tl.dot(tl.trans(a), b, input_precision="ieee")
    target = parts + split.to(tl.int64) * d * d + left[:, None] * d + right[None, :]
    tl.store(target, total, mask=(left < d)[:, None] & (right < d)[None, :])


@implements(SUITE, arrays="torch", devices=("cuda",), dtypes=("float32",), kind="gram")
def pca(x: Any, k: int, seed: int) -> Iterator[TorchFitted | torch.Tensor]:
    require_rows(x)
    n, d = x.shape
    mean = x.mean(dim=0)
    tiles = triton.cdiv(d, TILE)
    splits = max(1, min(triton.cdiv(n, ROWS), PROGRAMS // (tiles * (tiles + 1) // 2)))
    per_split = triton.cdiv(triton.cdiv(n, splits), ROWS) * ROWS
    parts = torch.zeros((triton.cdiv(n, per_split), d, d), dtype=torch.float32, device=x.device)
    centred_products[(tiles, tiles, len(parts))](x, mean, parts, n, d, per_split, TILE=TILE, ROWS=ROWS)
    # eigh reads the lower triangle only, so that the other one need not be filled.
    model = leading(parts.sum(dim=0), mean, n, k)
    yield model
    yield project(x, model)
