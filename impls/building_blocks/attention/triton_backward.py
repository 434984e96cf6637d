"""Triton kernels of the backward pass (Dao 2023, Algorithm 2): dk and dv by tiles of keys, dq by tiles of queries.

Two kernels recompute the scores instead of one that adds to dq atomically: the sums have a fixed order, so the answer
does not change from run to run.
"""

from __future__ import annotations

from typing import Any

import torch
import triton
import triton.language as tl

from impls.building_blocks.attention.triton_forward import LOG2_E, block_of, is_seen, load_rows, store_rows


@triton.jit
def delta_kernel(out_ptr, grad_ptr, delta_ptr, queries, head_dim, BLOCK_M: tl.constexpr, BLOCK_D: tl.constexpr):  # type: ignore[no-untyped-def]
    """D = sum over the head dimension of out * grad_out."""
    start_m, head = tl.program_id(0) * BLOCK_M, tl.program_id(1).to(tl.int64)
    out = load_rows(start_m, queries, head_dim, out_ptr + head * queries * head_dim, BLOCK_M, BLOCK_D, True)
    grad = load_rows(start_m, queries, head_dim, grad_ptr + head * queries * head_dim, BLOCK_M, BLOCK_D, True)
    i = start_m + tl.arange(0, BLOCK_M)
    total = tl.sum(out.to(tl.float32) * grad.to(tl.float32), axis=1)
    tl.store(delta_ptr + head * queries + i, total, mask=i < queries)


@triton.jit
def _row_statistics(lse_ptr, delta_ptr, i, queries):  # type: ignore[no-untyped-def]
    """lse in units of log2 and D of rows i. Rows without keys, or beyond the end, get lse = inf, so that P = 0."""
    lse = tl.load(lse_ptr + i, mask=i < queries, other=float("-inf"))
    delta = tl.load(delta_ptr + i, mask=i < queries, other=0.0)
    return tl.where(lse == float("-inf"), float("inf"), lse * LOG2_E), delta


@triton.jit
def _query_tiles(  # type: ignore[no-untyped-def]
    dk,
    dv,
    k,
    v,
    q_base,
    grad_base,
    lse_base,
    delta_base,
    first,
    last,
    start_n,
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
    """Adds the tiles of queries from ``first`` to ``last`` to dk and dv; scores are held as (keys, queries)."""
    j = start_n + tl.arange(0, BLOCK_N)
    for start_m in range(first, last, BLOCK_M):
        i = start_m + tl.arange(0, BLOCK_M)
        q = load_rows(start_m, queries, head_dim, q_base, BLOCK_M, BLOCK_D, True)
        grad = load_rows(start_m, queries, head_dim, grad_base, BLOCK_M, BLOCK_D, True)
        lse, delta = _row_statistics(lse_base, delta_base, i, queries)
        p = tl.exp2(tl.dot(k, tl.trans(q), input_precision="ieee") * scale - lse[None, :])
        if check:
            p = tl.where(is_seen(i[None, :], j[:, None], queries, keys, causal), p, 0.0)
        dv = tl.dot(p.to(grad.dtype), grad, dv, input_precision="ieee")
        ds = p * (tl.dot(v, tl.trans(grad), input_precision="ieee") - delta[None, :])
        dk = tl.dot(ds.to(q.dtype), q, dk, input_precision="ieee")
    return dk, dv


@triton.jit
def key_gradients_kernel(  # type: ignore[no-untyped-def]
    q_ptr,
    k_ptr,
    v_ptr,
    grad_ptr,
    lse_ptr,
    delta_ptr,
    dk_ptr,
    dv_ptr,
    queries,
    keys,
    head_dim,
    scale,
    softmax_scale,
    causal: tl.constexpr,
    BLOCK_M: tl.constexpr,
    BLOCK_N: tl.constexpr,
    BLOCK_D: tl.constexpr,
):
    """dk and dv of BLOCK_N keys of one head."""
    start_n, head = tl.program_id(0) * BLOCK_N, tl.program_id(1).to(tl.int64)
    of_queries, of_keys, of_rows = head * queries * head_dim, head * keys * head_dim, head * queries
    k = load_rows(start_n, keys, head_dim, k_ptr + of_keys, BLOCK_N, BLOCK_D, True)
    v = load_rows(start_n, keys, head_dim, v_ptr + of_keys, BLOCK_N, BLOCK_D, True)
    dk = tl.zeros([BLOCK_N, BLOCK_D], dtype=tl.float32)
    dv = tl.zeros([BLOCK_N, BLOCK_D], dtype=tl.float32)
    first, full = 0, 0
    if causal:
        # Query i sees key j from i = j - (Nk - Nq) on: none before the first key, every one after the last key.
        first = tl.maximum(0, start_n - (keys - queries)) // BLOCK_M * BLOCK_M
        full = tl.maximum(0, start_n + BLOCK_N - 1 - (keys - queries))
        full = tl.minimum(tl.cdiv(full, BLOCK_M) * BLOCK_M, tl.cdiv(queries, BLOCK_M) * BLOCK_M)
        first = tl.minimum(first, full)
    dk, dv = _query_tiles(
        dk,
        dv,
        k,
        v,
        q_ptr + of_queries,
        grad_ptr + of_queries,
        lse_ptr + of_rows,
        delta_ptr + of_rows,
        first,
        full,
        start_n,
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
    # Keys beyond the end are rows of their own here, which are not stored, so they need no mask.
    dk, dv = _query_tiles(
        dk,
        dv,
        k,
        v,
        q_ptr + of_queries,
        grad_ptr + of_queries,
        lse_ptr + of_rows,
        delta_ptr + of_rows,
        full,
        queries,
        start_n,
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
    store_rows(dk * softmax_scale, start_n, keys, head_dim, dk_ptr + of_keys, BLOCK_N, BLOCK_D)
    store_rows(dv, start_n, keys, head_dim, dv_ptr + of_keys, BLOCK_N, BLOCK_D)


@triton.jit
def _key_tiles(  # type: ignore[no-untyped-def]
    dq,
    q,
    grad,
    lse,
    delta,
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
    """Adds the tiles of keys from ``first`` to ``last`` to dq."""
    i = start_m + tl.arange(0, BLOCK_M)
    for start_n in range(first, last, BLOCK_N):
        k = load_rows(start_n, keys, head_dim, k_base, BLOCK_N, BLOCK_D, check)
        v = load_rows(start_n, keys, head_dim, v_base, BLOCK_N, BLOCK_D, check)
        p = tl.exp2(tl.dot(q, tl.trans(k), input_precision="ieee") * scale - lse[:, None])
        if check:
            j = start_n + tl.arange(0, BLOCK_N)
            p = tl.where(is_seen(i[:, None], j[None, :], queries, keys, causal), p, 0.0)
        ds = p * (tl.dot(grad, tl.trans(v), input_precision="ieee") - delta[:, None])
        dq = tl.dot(ds.to(k.dtype), k, dq, input_precision="ieee")
    return dq


@triton.jit
def query_gradients_kernel(  # type: ignore[no-untyped-def]
    q_ptr,
    k_ptr,
    v_ptr,
    grad_ptr,
    lse_ptr,
    delta_ptr,
    dq_ptr,
    queries,
    keys,
    head_dim,
    scale,
    softmax_scale,
    causal: tl.constexpr,
    BLOCK_M: tl.constexpr,
    BLOCK_N: tl.constexpr,
    BLOCK_D: tl.constexpr,
):
    """dq of BLOCK_M queries of one head."""
    start_m, head = (tl.num_programs(0) - 1 - tl.program_id(0)) * BLOCK_M, tl.program_id(1).to(tl.int64)
    of_queries, of_keys, of_rows = head * queries * head_dim, head * keys * head_dim, head * queries
    q = load_rows(start_m, queries, head_dim, q_ptr + of_queries, BLOCK_M, BLOCK_D, True)
    grad = load_rows(start_m, queries, head_dim, grad_ptr + of_queries, BLOCK_M, BLOCK_D, True)
    i = start_m + tl.arange(0, BLOCK_M)
    lse, delta = _row_statistics(lse_ptr + of_rows, delta_ptr + of_rows, i, queries)
    dq = tl.zeros([BLOCK_M, BLOCK_D], dtype=tl.float32)
    full, last = keys, keys
    if causal:
        full = tl.maximum(0, tl.minimum(keys, start_m + keys - queries + 1))
        last = tl.maximum(0, tl.minimum(keys, start_m + BLOCK_M + keys - queries))
    full = full // BLOCK_N * BLOCK_N
    dq = _key_tiles(
        dq,
        q,
        grad,
        lse,
        delta,
        k_ptr + of_keys,
        v_ptr + of_keys,
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
    dq = _key_tiles(
        dq,
        q,
        grad,
        lse,
        delta,
        k_ptr + of_keys,
        v_ptr + of_keys,
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
    store_rows(dq * softmax_scale, start_m, queries, head_dim, dq_ptr + of_queries, BLOCK_M, BLOCK_D)


def launch(
    q: torch.Tensor,
    k: torch.Tensor,
    v: torch.Tensor,
    grad_out: torch.Tensor,
    out: torch.Tensor,
    lse: torch.Tensor,
    causal: bool,
    scale: float,
    for_keys: dict[str, int],
    for_queries: dict[str, int],
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """dq, dk, dv; ``for_keys`` and ``for_queries`` are the tiles and warps of the two kernels."""
    (batch, heads, queries, head_dim), keys = q.shape, k.shape[2]
    block_d, count = block_of(head_dim), batch * heads
    dq, dk, dv, delta = torch.empty_like(q), torch.empty_like(k), torch.empty_like(v), torch.empty_like(lse)
    delta_kernel[(triton.cdiv(queries, 64), count)](
        out, grad_out, delta, queries, head_dim, BLOCK_M=64, BLOCK_D=block_d
    )
    sizes: tuple[Any, ...] = (queries, keys, head_dim, scale * LOG2_E.value, scale)
    key_gradients_kernel[(triton.cdiv(keys, for_keys["BLOCK_N"]), count)](
        q, k, v, grad_out, lse, delta, dk, dv, *sizes, causal=causal, BLOCK_D=block_d, **for_keys
    )
    query_gradients_kernel[(triton.cdiv(queries, for_queries["BLOCK_M"]), count)](
        q, k, v, grad_out, lse, delta, dq, *sizes, causal=causal, BLOCK_D=block_d, **for_queries
    )
    return dq, dk, dv
