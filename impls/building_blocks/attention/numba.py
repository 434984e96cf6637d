"""FlashAttention-2's loops for a CPU's vector registers: queries along the lanes, no sums across a register.

Score tiles are held transposed, (keys, queries): every maximum, sum and rescaling of the online softmax is then an
operation between whole vectors, and k and v are read as they lie in memory. Only q and grad_out are transposed, once.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit, prange

from impls.building_blocks.attention.products import LANES, multiply
from impls.building_blocks.attention.vectors import (
    WIDTH,
    add,
    exp2,
    keep_out_of_line,
    load,
    maximum,
    select_above,
    spread,
    store,
    subtract,
    times,
)

Array = np.ndarray
# Functions that only compiled ones call.
inner: Any = njit(cache=True)
QUERY_TILE = 64
KEY_TILE = 96
LOG2_E = 1.0 / math.log(2.0)
LN_2 = math.log(2.0)
# Larger than any logit: exp2(logit - NEVER) is 0.
NEVER = np.float32(3e38)


@inner
def _transpose(source: Any, start: int, target: Any, factor: Any) -> None:
    """target[c, i] = factor * source[start + i, c], 0 for i beyond the end of source."""
    keep_out_of_line()
    count = min(target.shape[1], source.shape[0] - start)
    for c in range(target.shape[0]):
        for i in range(count):
            target[c, i] = source[start + i, c] * factor
        target[c, count:] = 0.0


@inner
def _hide(s: Any, rows: int, first: int, value: Any) -> None:
    """s[j, i] = value where j > first + i, which are the keys of the tile that the causal rule hides."""
    keep_out_of_line()
    for j in range(max(0, first + 1), rows):
        s[j, : min(s.shape[1], j - first)] = value


@inner
def _online_softmax(s: Any, rows: int, lanes: int, m: Any, total: Any, acc: Any) -> None:
    """Flat scores s[j, i] in units of log2 become probabilities, not normalised; m, total and acc are kept up with."""
    keep_out_of_line()
    nothing, zero, one = spread(np.float32(-np.inf)), spread(np.float32(0.0)), spread(np.float32(1.0))
    for i in range(0, lanes, WIDTH):
        before = load(m, i)
        largest = before
        for j in range(rows):
            largest = maximum(largest, load(s, j * lanes + i))
        store(m, i, largest)
        # exp2(-inf - -inf) would be NaN: a query that has seen no key subtracts 0.
        shift = select_above(largest, nothing, largest, zero)
        rescale = select_above(before, nothing, exp2(subtract(before, shift)), one)
        for c in range(i, acc.size, lanes):
            store(acc, c, times(load(acc, c), rescale))
        sums = zero
        for j in range(rows):
            p = exp2(subtract(load(s, j * lanes + i), shift))
            store(s, j * lanes + i, p)
            sums = add(sums, p)
        store(total, i, add(times(load(total, i), rescale), sums))


@inner
def _forward_tile(
    q: Any, k: Any, v: Any, start: int, causal: bool, scale: Any, out: Any, lse: Any, scratch: Any
) -> None:
    """out and lse of the queries from ``start`` on, as many as the lanes of the scratch arrays."""
    keep_out_of_line()
    q_t, s, acc, m, total = scratch
    (keys, d), lanes, offset = k.shape, q_t.shape[1], k.shape[0] - q.shape[0]
    count = min(lanes, q.shape[0] - start)
    _transpose(q, start, q_t, scale)
    acc[:], m[:], total[:] = 0.0, -np.inf, 0.0
    last = min(keys, start + count + offset) if causal else keys
    k_flat, v_flat, q_flat, s_flat, acc_flat = k.ravel(), v.ravel(), q_t.ravel(), s.ravel(), acc.ravel()
    for j in range(0, last, s.shape[0]):
        rows = min(s.shape[0], last - j)
        multiply(k_flat, j * d, d, 1, q_flat, lanes, s_flat, lanes, rows, lanes, d, False)
        if causal and j + rows - 1 > start + offset:
            _hide(s, rows, start + offset - j, np.float32(-np.inf))
        _online_softmax(s_flat, rows, lanes, m, total, acc_flat)
        multiply(v_flat, j * d, 1, d, s_flat, lanes, acc_flat, lanes, d, lanes, rows, True)
    for i in range(count):
        if total[i] > 0:
            lse[start + i] = (m[i] + np.log2(total[i])) * np.float32(LN_2)
            total[i] = np.float32(1.0) / total[i]
        else:
            lse[start + i] = -np.inf
    for i in range(count):
        for c in range(d):
            out[start + i, c] = acc[c, i] * total[i]


@inner
def _forward_worker(q: Any, k: Any, v: Any, causal: bool, out: Any, lse: Any, worker: int, workers: int) -> None:
    """Every ``workers``-th tile of queries of all heads: dealt out in turn, since those of a causal case differ."""
    keep_out_of_line()
    heads, queries, d = q.shape
    scale = np.float32(LOG2_E / math.sqrt(d))
    blocks = (queries + QUERY_TILE - 1) // QUERY_TILE
    scratch = (
        np.empty((d, QUERY_TILE), np.float32),
        np.empty((KEY_TILE, QUERY_TILE), np.float32),
        np.empty((d, QUERY_TILE), np.float32),
        np.empty(QUERY_TILE, np.float32),
        np.empty(QUERY_TILE, np.float32),
    )
    for task in range(worker, heads * blocks, workers):
        head, start = task // blocks, task % blocks * QUERY_TILE
        _forward_tile(q[head], k[head], v[head], start, causal, scale, out[head], lse[head], scratch)


@njit(parallel=True, cache=True)
def _forward_parallel(q: Any, k: Any, v: Any, causal: bool, out: Any, lse: Any, workers: int) -> None:
    for worker in prange(workers):
        _forward_worker(q, k, v, causal, out, lse, np.int64(worker), workers)


def forward(q: Array, k: Array, v: Array, causal: bool, workers: int) -> tuple[Array, Array]:
    """out (heads, Nq, d) and lse (heads, Nq) of contiguous float32 q, k, v (heads, N, d) on ``workers`` threads."""
    out, lse = np.empty_like(q), np.empty(q.shape[:2], np.float32)
    if workers == 1:  # nothing to start, and nothing parallel to compile
        _forward_worker(q, k, v, causal, out, lse, 0, 1)
    else:
        _forward_parallel(q, k, v, causal, out, lse, workers)
    return out, lse


@inner
def _probabilities(s: Any, rows: int, lanes: int, lse: Any) -> None:
    """Flat scores s[j, i] in units of log2 become probabilities."""
    keep_out_of_line()
    for i in range(0, lanes, WIDTH):
        shift = load(lse, i)
        for j in range(rows):
            store(s, j * lanes + i, exp2(subtract(load(s, j * lanes + i), shift)))


@inner
def _slopes(p: Any, dp: Any, rows: int, lanes: int, delta: Any) -> None:
    """dp[j, i] becomes dS = P * (dP - D)."""
    keep_out_of_line()
    for i in range(0, lanes, WIDTH):
        shift = load(delta, i)
        for j in range(rows):
            at = j * lanes + i
            store(dp, at, times(load(p, at), subtract(load(dp, at), shift)))


@njit(cache=True, fastmath={"contract", "reassoc"})
def _pack_head(q: Any, grad_out: Any, out: Any, lse: Any, scale: Any, packed: Any) -> None:
    """One head's q and grad_out by tile: transposed, and as rows padded to whole registers; lse and D beside them."""
    keep_out_of_line()
    q_t, do_t, q_rows, do_rows, lse_2, delta = packed
    queries, d = q.shape
    for t in range(q_t.shape[0]):
        _transpose(q, t * QUERY_TILE, q_t[t], scale)
        _transpose(grad_out, t * QUERY_TILE, do_t[t], np.float32(1.0))
        for i in range(QUERY_TILE):
            row = t * QUERY_TILE + i
            q_rows[t, i], do_rows[t, i] = 0.0, 0.0
            lse_2[t, i], delta[t, i] = NEVER, 0.0
            if row < queries:
                total = np.float32(0.0)
                for c in range(d):
                    q_rows[t, i, c], do_rows[t, i, c] = q[row, c], grad_out[row, c]
                    total += grad_out[row, c] * out[row, c]
                delta[t, i] = total
                if lse[row] > -np.inf:
                    lse_2[t, i] = lse[row] * np.float32(LOG2_E)


@inner
def _backward_tile(k: Any, v: Any, j: int, offset: int, causal: bool, packed: Any, scratch: Any, dq_t: Any) -> None:
    """Adds to dk and dv of one tile of keys (in scratch), and to dq, over all queries."""
    keep_out_of_line()
    q_t, do_t, q_rows, do_rows, lse_2, delta = packed
    p, dp, dk_tile, dv_tile = scratch
    d, lanes, padded = k.shape[1], QUERY_TILE, dk_tile.shape[1]
    rows = min(KEY_TILE, k.shape[0] - j)
    k_flat, v_flat, p_flat, dp_flat = k.ravel(), v.ravel(), p.ravel(), dp.ravel()
    dk_flat, dv_flat = dk_tile.ravel(), dv_tile.ravel()
    dk_tile[:], dv_tile[:] = 0.0, 0.0
    first = max(0, j - offset) // lanes if causal else 0
    for t in range(first, q_t.shape[0]):
        multiply(k_flat, j * d, d, 1, q_t[t].ravel(), lanes, p_flat, lanes, rows, lanes, d, False)
        multiply(v_flat, j * d, d, 1, do_t[t].ravel(), lanes, dp_flat, lanes, rows, lanes, d, False)
        _probabilities(p_flat, rows, lanes, lse_2[t])
        if causal and j + rows - 1 > t * lanes + offset:
            _hide(p, rows, t * lanes + offset - j, np.float32(0.0))
        _slopes(p_flat, dp_flat, rows, lanes, delta[t])
        multiply(p_flat, 0, lanes, 1, do_rows[t].ravel(), padded, dv_flat, padded, rows, padded, lanes, True)
        multiply(dp_flat, 0, lanes, 1, q_rows[t].ravel(), padded, dk_flat, padded, rows, padded, lanes, True)
        multiply(k_flat, j * d, 1, d, dp_flat, lanes, dq_t[t].ravel(), lanes, d, lanes, rows, True)


@inner
def _collect_dq(dq_t: Any, dq: Any) -> None:
    """dq (Nq, d) of one head from its shares (share, tile, d, QUERY_TILE), always added up in the same order."""
    keep_out_of_line()
    scale = np.float32(1.0 / math.sqrt(dq.shape[1]))
    for row in range(dq.shape[0]):
        block, i = row // QUERY_TILE, row % QUERY_TILE
        for c in range(dq.shape[1]):
            total = np.float32(0.0)
            for share in range(dq_t.shape[0]):
                total += dq_t[share, block, c, i]
            dq[row, c] = total * scale


@inner
def _backward_worker(
    q: Any,
    k: Any,
    v: Any,
    grad_out: Any,
    out: Any,
    lse: Any,
    causal: bool,
    dq_t: Any,
    dk: Any,
    dv: Any,
    worker: int,
    workers: int,
) -> None:
    """dk, dv and shares of dq for every ``workers``-th task; a task is a head and every n-th tile of its keys."""
    keep_out_of_line()
    heads, shares, blocks, d, _ = dq_t.shape
    keys, padded = k.shape[1], (d + LANES - 1) // LANES * LANES
    scale = np.float32(1.0 / math.sqrt(d))
    packed = (
        np.empty((blocks, d, QUERY_TILE), np.float32),
        np.empty((blocks, d, QUERY_TILE), np.float32),
        np.empty((blocks, QUERY_TILE, padded), np.float32),
        np.empty((blocks, QUERY_TILE, padded), np.float32),
        np.empty((blocks, QUERY_TILE), np.float32),
        np.empty((blocks, QUERY_TILE), np.float32),
    )
    dk_tile, dv_tile = np.empty((KEY_TILE, padded), np.float32), np.empty((KEY_TILE, padded), np.float32)
    scratch = (
        np.empty((KEY_TILE, QUERY_TILE), np.float32),
        np.empty((KEY_TILE, QUERY_TILE), np.float32),
        dk_tile,
        dv_tile,
    )
    for task in range(worker, heads * shares, workers):
        h, share = task // shares, task % shares
        _pack_head(q[h], grad_out[h], out[h], lse[h], np.float32(LOG2_E) * scale, packed)
        for j in range(share * KEY_TILE, keys, shares * KEY_TILE):
            _backward_tile(k[h], v[h], j, keys - q.shape[1], causal, packed, scratch, dq_t[h, share])
            for r in range(min(KEY_TILE, keys - j)):
                for c in range(d):
                    dk[h, j + r, c] = dk_tile[r, c] * scale
                    dv[h, j + r, c] = dv_tile[r, c]


@njit(parallel=True, cache=True)
def _backward_parallel(
    q: Any, k: Any, v: Any, grad_out: Any, out: Any, lse: Any, causal: bool, dq_t: Any, dk: Any, dv: Any, workers: int
) -> None:
    for worker in prange(workers):
        _backward_worker(q, k, v, grad_out, out, lse, causal, dq_t, dk, dv, np.int64(worker), workers)


def backward(
    q: Array, k: Array, v: Array, grad_out: Array, out: Array, lse: Array, causal: bool, workers: int
) -> tuple[Array, Array, Array]:
    """dq, dk, dv (heads, N, d). Threads share a head where heads are fewer, and each then sums a dq of its own."""
    heads, queries, d = q.shape
    shares, blocks = -(-workers // heads), -(-queries // QUERY_TILE)
    dq, dk, dv = np.empty_like(q), np.empty_like(k), np.empty_like(v)
    dq_t = np.zeros((heads, shares, blocks, d, QUERY_TILE), np.float32)
    if workers == 1:
        _backward_worker(q, k, v, grad_out, out, lse, causal, dq_t, dk, dv, 0, 1)
    else:
        _backward_parallel(q, k, v, grad_out, out, lse, causal, dq_t, dk, dv, min(workers, heads * shares))
    for head in range(heads):
        _collect_dq(dq_t[head], dq[head])
    return dq, dk, dv
