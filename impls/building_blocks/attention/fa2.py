"""FlashAttention-2's loops in NumPy, all heads at once: Algorithms 1 and 2 of Dao 2023.

Forward: queries in the outer loop, the output stays on the chip unnormalised until the last key (deferred division).
Backward: keys in the outer loop, D = sum(grad_out * out) computed once per row, probabilities from the log-sum-exp.
"""

from __future__ import annotations

import math

import numpy as np

from impls.building_blocks.attention.tiles import finite, hide, is_hidden, log_sum_exp, tiles
from impls.building_blocks.attention.traffic import Traffic


def forward(
    q: np.ndarray, k: np.ndarray, v: np.ndarray, causal: bool, query_tile: int, key_tile: int, traffic: Traffic
) -> tuple[np.ndarray, np.ndarray]:
    """out (B, H, Nq, d) and lse (B, H, Nq)."""
    scale, offset = q.dtype.type(1.0 / math.sqrt(q.shape[-1])), k.shape[2] - q.shape[2]
    out, lse = np.empty_like(q), np.empty(q.shape[:-1], q.dtype)
    for rows in tiles(q.shape[2], query_tile):
        q_tile = q[:, :, rows] * scale
        traffic.load(q_tile)
        acc = np.zeros_like(q_tile)
        m, sums = np.full(acc.shape[:-1], -np.inf, q.dtype), np.zeros(acc.shape[:-1], q.dtype)
        for columns in tiles(k.shape[2], key_tile):
            if is_hidden(rows, columns, offset, causal):
                break
            k_tile, v_tile = k[:, :, columns], v[:, :, columns]
            traffic.load(k_tile, v_tile)
            s = traffic.multiply(q_tile, k_tile.swapaxes(-1, -2))
            hide(s, rows, columns, offset, causal)
            m_new = np.maximum(m, s.max(axis=-1))
            shift = finite(m_new)
            s -= shift[..., None]
            p = np.exp(s, out=s)
            rescale = np.exp(m - shift)
            sums *= rescale
            sums += p.sum(axis=-1)
            acc *= rescale[..., None]
            acc += traffic.multiply(p, v_tile)
            m = m_new
        np.divide(acc, np.where(sums > 0, sums, 1)[..., None], out=out[:, :, rows])
        lse[:, :, rows] = log_sum_exp(m, sums)
        traffic.store(out[:, :, rows], lse[:, :, rows])
    return out, lse


def backward(
    q: np.ndarray,
    k: np.ndarray,
    v: np.ndarray,
    grad_out: np.ndarray,
    out: np.ndarray,
    lse: np.ndarray,
    causal: bool,
    query_tile: int,
    key_tile: int,
    traffic: Traffic,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """dq, dk and dv, each in its own pass over memory but dq, which is read and written once per tile of keys."""
    scale, offset = q.dtype.type(1.0 / math.sqrt(q.shape[-1])), k.shape[2] - q.shape[2]
    dq, dk, dv = np.zeros_like(q), np.empty_like(k), np.empty_like(v)
    traffic.load(grad_out, out)
    d = np.einsum("bhic,bhic->bhi", grad_out, out)
    traffic.store(dq, d)
    for columns in tiles(k.shape[2], key_tile):
        k_tile, v_tile = k[:, :, columns], v[:, :, columns]
        traffic.load(k_tile, v_tile)
        dk_tile, dv_tile = np.zeros_like(k_tile), np.zeros_like(v_tile)
        for rows in tiles(q.shape[2], query_tile):
            if is_hidden(rows, columns, offset, causal):
                continue
            q_tile, do_tile, dq_tile = q[:, :, rows] * scale, grad_out[:, :, rows], dq[:, :, rows]
            traffic.load(q_tile, do_tile, dq_tile, lse[:, :, rows], d[:, :, rows])
            s = traffic.multiply(q_tile, k_tile.swapaxes(-1, -2))
            hide(s, rows, columns, offset, causal)
            s -= finite(lse[:, :, rows])[..., None]
            p = np.exp(s, out=s)
            dv_tile += traffic.multiply(p.swapaxes(-1, -2), do_tile)
            ds = traffic.multiply(do_tile, v_tile.swapaxes(-1, -2))
            ds -= d[:, :, rows, None]
            ds *= p
            dq_tile += traffic.multiply(ds, k_tile) * scale
            traffic.store(dq_tile)
            dk_tile += traffic.multiply(ds.swapaxes(-1, -2), q_tile)
        dk[:, :, columns], dv[:, :, columns] = dk_tile, dv_tile
        traffic.store(dk_tile, dv_tile)
    return dq, dk, dv
