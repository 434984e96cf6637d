"""Triton kernel of the forward pass (Dao 2023, Algorithm 1): one program per tile of queries."""

from __future__ import annotations

from typing import Any

import triton
import triton.language as tl

LOG2_E = tl.constexpr(1.4426950408889634)
LN_2 = tl.constexpr(0.6931471805599453)


@triton.jit
def load_rows(start, rows, column_count, base, BLOCK_N: tl.constexpr, BLOCK_D: tl.constexpr, check: tl.constexpr):  # type: ignore[no-untyped-def]
    """(BLOCK_N, BLOCK_D) of a contiguous (rows, column_count) matrix at ``base``; 0 outside, rows only with check."""
    i = start + tl.arange(0, BLOCK_N)
    c = tl.arange(0, BLOCK_D)
    inside = (c < column_count)[None, :]
    if check:
        inside = inside & (i < rows)[:, None]
    return tl.load(base + i[:, None] * column_count + c[None, :], mask=inside, other=0.0)


@triton.jit
def store_rows(values, start, rows, column_count, base, BLOCK_N: tl.constexpr, BLOCK_D: tl.constexpr):  # type: ignore[no-untyped-def]
    i = start + tl.arange(0, BLOCK_N)
    c = tl.arange(0, BLOCK_D)
    inside = (i < rows)[:, None] & (c < column_count)[None, :]
    tl.store(base + i[:, None] * column_count + c[None, :], values.to(base.dtype.element_ty), mask=inside)


@triton.jit
def is_seen(i, j, queries, keys, causal: tl.constexpr):  # type: ignore[no-untyped-def]
    """Which keys j exist and are visible to which queries i, by broadcasting."""
    seen = j < keys
    if causal:
        seen = seen & (j <= i + (keys - queries))
    return seen


@triton.jit
def _key_tiles(  # type: ignore[no-untyped-def]
    acc,
    m,
    total,
    q,
    k_base,
    v_base,
    first,
    last,
    start_m,
    queries,
    keys,
    head_dim,
    scale,
    causal: tl.constexpr,
    check: tl.constexpr,
    BLOCK_M: tl.constexpr,
    BLOCK_N: tl.constexpr,
    BLOCK_D: tl.constexpr,
):
    """The online softmax over the tiles of keys from ``first`` to ``last``; check where one of them may be hidden."""
    i = start_m + tl.arange(0, BLOCK_M)
    for start_n in range(first, last, BLOCK_N):
        k = load_rows(start_n, keys, head_dim, k_base, BLOCK_N, BLOCK_D, check)
        s = tl.dot(q, tl.trans(k), input_precision="ieee")
        if check:
            j = start_n + tl.arange(0, BLOCK_N)
            s = tl.where(is_seen(i[:, None], j[None, :], queries, keys, causal), s, float("-inf"))
        m_new = tl.maximum(m, tl.max(s, axis=1) * scale)
        shift = m_new
        if check:
            shift = tl.where(m_new == float("-inf"), 0.0, m_new)
        p = tl.exp2(s * scale - shift[:, None])
        rescale = tl.exp2(m - shift)
        total = total * rescale + tl.sum(p, axis=1)
        v = load_rows(start_n, keys, head_dim, v_base, BLOCK_N, BLOCK_D, check)
        acc = tl.dot(p.to(v.dtype), v, acc * rescale[:, None], input_precision="ieee")
        m = m_new
    return acc, m, total


@triton.jit
def forward_kernel(  # type: ignore[no-untyped-def]
    q_ptr,
    k_ptr,
    v_ptr,
    out_ptr,
    lse_ptr,
    queries,
    keys,
    head_dim,
    scale,
    causal: tl.constexpr,
    BLOCK_M: tl.constexpr,
    BLOCK_N: tl.constexpr,
    BLOCK_D: tl.constexpr,
):
    """out and lse of BLOCK_M queries of one head. ``scale`` is log2(e) / sqrt(d): exponentials are powers of two."""
    # The last tiles see the most keys in a causal case; starting with them leaves the short ones to fill the gaps.
    start_m = (tl.num_programs(0) - 1 - tl.program_id(0)) * BLOCK_M
    head = tl.program_id(1).to(tl.int64)
    q_base, out_base = q_ptr + head * queries * head_dim, out_ptr + head * queries * head_dim
    k_base, v_base = k_ptr + head * keys * head_dim, v_ptr + head * keys * head_dim
    q = load_rows(start_m, queries, head_dim, q_base, BLOCK_M, BLOCK_D, True)
    acc = tl.zeros([BLOCK_M, BLOCK_D], dtype=tl.float32)
    m = tl.full([BLOCK_M], float("-inf"), dtype=tl.float32)
    total = tl.zeros([BLOCK_M], dtype=tl.float32)
    full, last = keys, keys
    if causal:
        full = tl.maximum(0, tl.minimum(keys, start_m + keys - queries + 1))
        last = tl.maximum(0, tl.minimum(keys, start_m + BLOCK_M + keys - queries))
    full = full // BLOCK_N * BLOCK_N
    acc, m, total = _key_tiles(
        acc,
        m,
        total,
        q,
        k_base,
        v_base,
        0,
        full,
        start_m,
        queries,
        keys,
        head_dim,
        scale,
        causal,
        False,
        BLOCK_M,
        BLOCK_N,
        BLOCK_D,
    )
    acc, m, total = _key_tiles(
        acc,
        m,
        total,
        q,
        k_base,
        v_base,
        full,
        last,
        start_m,
        queries,
        keys,
        head_dim,
        scale,
        causal,
        True,
        BLOCK_M,
        BLOCK_N,
        BLOCK_D,
    )
    seen = total > 0.0
    acc = acc / tl.where(seen, total, 1.0)[:, None]
    lse = tl.where(seen, (m + tl.log2(tl.where(seen, total, 1.0))) * LN_2, float("-inf"))
    store_rows(acc, start_m, queries, head_dim, out_base, BLOCK_M, BLOCK_D)
    i = start_m + tl.arange(0, BLOCK_M)
    tl.store(lse_ptr + head * queries + i, lse, mask=i < queries)


def launch(q: Any, k: Any, v: Any, out: Any, lse: Any, causal: bool, scale: float, config: dict[str, int]) -> None:
    """Fill ``out`` (B, H, Nq, d) and ``lse`` (B, H, Nq) from contiguous q, k, v."""
    batch, heads, queries, head_dim = q.shape
    grid = (triton.cdiv(queries, config["BLOCK_M"]), batch * heads)
    forward_kernel[grid](
        q,
        k,
        v,
        out,
        lse,
        queries,
        k.shape[2],
        head_dim,
        scale * LOG2_E.value,
        causal=causal,
        BLOCK_D=block_of(head_dim),
        **config,
    )


def block_of(head_dim: int) -> int:
    """Columns of a tile: a power of two, and 16 at least, which is the shortest depth of a matrix instruction."""
    return max(16, int(triton.next_power_of_2(head_dim)))
