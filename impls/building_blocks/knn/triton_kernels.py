# ruff: noqa: N803 - compile-time constants are in capitals, as everywhere in Triton
# mypy: disable-error-code="no-untyped-def"
"""Triton kernels for brute-force neighbour search that never write the (m, n) distances.

A program holds BLOCK_Q queries and runs over tiles of BLOCK_N points. For the k nearest it keeps one key per rank: the
bits of the float32 distance, which order as integers, over the point's index; larger is nearer, since keys are
complemented. A tile that holds nothing nearer than any query's worst is dropped before it is sorted.
"""

from __future__ import annotations

import triton
import triton.language as tl


@triton.jit
def tile_distances(
    queries, columns, query_lengths, point_lengths, rows, cols, m, n, d,
    BLOCK_Q: tl.constexpr, BLOCK_N: tl.constexpr, BLOCK_D: tl.constexpr, LINF: tl.constexpr, EXPANDED: tl.constexpr,
):  # fmt: skip
    """Distances (BLOCK_Q, BLOCK_N), squared for L2, infinite for points past the end.

    ``queries`` is (m, d), ``columns`` (d, n). Direct differences, or |q|^2 - 2 qx + |x|^2 by matrix products.
    """
    row_in, col_in = rows < m, cols < n
    far = tl.zeros((BLOCK_Q, BLOCK_N), dtype=tl.float32)
    if EXPANDED:
        for start in range(0, d, BLOCK_D):
            dims = start + tl.arange(0, BLOCK_D)
            q = tl.load(
                queries + rows[:, None].to(tl.int64) * d + dims[None, :],
                mask=row_in[:, None] & (dims < d)[None, :], other=0.0,
            )  # fmt: skip
            x = tl.load(
                columns + dims[:, None].to(tl.int64) * n + cols[None, :],
                mask=(dims < d)[:, None] & col_in[None, :], other=0.0,
            )  # fmt: skip
            far += tl.dot(q, x, input_precision="tf32x3")
        own = tl.load(query_lengths + rows, mask=row_in, other=0.0)
        other = tl.load(point_lengths + cols, mask=col_in, other=0.0)
        # Rounding can make the difference negative, and the bits of a negative number would not order as integers.
        far = tl.maximum(own[:, None] + other[None, :] - 2.0 * far, 0.0)
    else:
        for j in range(d):
            q = tl.load(queries + rows.to(tl.int64) * d + j, mask=row_in, other=0.0)
            x = tl.load(columns + j * n + cols, mask=col_in, other=0.0)
            difference = q[:, None] - x[None, :]
            if LINF:
                far = tl.maximum(far, tl.abs(difference))
            else:
                far += difference * difference
    return tl.where(col_in[None, :], far, float("inf"))


@triton.jit
def nearest_kernel(
    queries, columns, query_lengths, point_lengths, keys, m, n, d, tiles_per_split,
    KEPT: tl.constexpr, BLOCK_Q: tl.constexpr, BLOCK_N: tl.constexpr, BLOCK_D: tl.constexpr,
    LINF: tl.constexpr, EXPANDED: tl.constexpr,
):  # fmt: skip
    """The KEPT best keys (m, splits, KEPT) of each query among the points of one split; KEPT is a power of two."""
    rows = tl.program_id(0) * BLOCK_Q + tl.arange(0, BLOCK_Q)
    split = tl.program_id(1)
    # The complement of an infinite distance: worse than any point.
    best = tl.full((BLOCK_Q, KEPT), -9187343239835811841, dtype=tl.int64)
    worst = tl.full((BLOCK_Q,), float("inf"), dtype=tl.float32)
    for tile in range(split * tiles_per_split, (split + 1) * tiles_per_split):
        cols = tile * BLOCK_N + tl.arange(0, BLOCK_N)
        far = tile_distances(
            queries, columns, query_lengths, point_lengths, rows, cols, m, n, d, BLOCK_Q, BLOCK_N, BLOCK_D, LINF,
            EXPANDED,
        )  # fmt: skip
        if tl.max((far < worst[:, None]).to(tl.int32)) > 0:
            bits = far.to(tl.int32, bitcast=True).to(tl.int64)
            key = ~((bits << 32) | cols[None, :].to(tl.int64))
            both = tl.join(best, tl.topk(key, KEPT, dim=1))
            best = tl.topk(tl.reshape(both, (BLOCK_Q, 2 * KEPT)), KEPT, dim=1)
            worst = ((~tl.min(best, axis=1)) >> 32).to(tl.int32).to(tl.float32, bitcast=True)
    places = (rows[:, None].to(tl.int64) * tl.num_programs(1) + split) * KEPT + tl.arange(0, KEPT)[None, :]
    tl.store(keys + places, best, mask=(rows < m)[:, None])


@triton.jit
def range_kernel(
    queries, columns, limit, starts, counts, distances, indices, m, n, d,
    FILL: tl.constexpr, CLOSED: tl.constexpr, BLOCK_Q: tl.constexpr, BLOCK_N: tl.constexpr, LINF: tl.constexpr,
):  # fmt: skip
    """Count each query's hits into ``counts`` (m,), or with FILL write them from ``starts`` (m,) on, in point order."""
    rows = tl.program_id(0) * BLOCK_Q + tl.arange(0, BLOCK_Q)
    found = tl.zeros((BLOCK_Q,), dtype=tl.int64)
    first = tl.load(starts + rows, mask=rows < m, other=0)
    for start in range(0, n, BLOCK_N):
        cols = start + tl.arange(0, BLOCK_N)
        far = tile_distances(queries, columns, queries, columns, rows, cols, m, n, d, BLOCK_Q, BLOCK_N, 16, LINF, False)
        inside = (far <= limit) if CLOSED else (far < limit)
        inside = (inside & (rows < m)[:, None]).to(tl.int32)
        if FILL:
            places = first[:, None] + found[:, None] + tl.cumsum(inside, axis=1) - 1
            tl.store(distances + places, far, mask=inside > 0)
            tl.store(indices + places, cols[None, :].to(tl.int64) + places * 0, mask=inside > 0)
        found += tl.sum(inside, axis=1)
    if not FILL:
        tl.store(counts + rows, found, mask=rows < m)
