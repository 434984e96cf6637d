"""FlashAttention's loops in NumPy, all heads at once: Algorithms 1 and 4 of Dao et al. 2022, without dropout.

Keys in the outer loop, queries in the inner one; the output is read, rescaled, normalised and written once per tile.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from impls.building_blocks.attention.tiles import finite, hide, is_hidden, tiles
from impls.building_blocks.attention.traffic import Traffic


@dataclass(frozen=True)
class Tile:
    """Rows of queries and of keys that are on the chip together."""

    queries: int
    keys: int

    @classmethod
    def for_chip(cls, elements: int, head_dim: int) -> Tile:
        """The paper's choice for a chip that holds ``elements`` numbers: Bc = ceil(M / 4d), Br = min(Bc, d)."""
        keys = math.ceil(elements / (4 * head_dim))
        return cls(queries=min(keys, head_dim), keys=keys)


def forward(
    q: np.ndarray, k: np.ndarray, v: np.ndarray, causal: bool, tile: Tile, traffic: Traffic
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """out (B, H, Nq, d), and by row the maximum and the sum of exp(s - maximum), both (B, H, Nq)."""
    scale, offset = q.dtype.type(1.0 / math.sqrt(q.shape[-1])), k.shape[2] - q.shape[2]
    out = np.zeros_like(q)
    maximum, total = np.full(q.shape[:-1], -np.inf, q.dtype), np.zeros(q.shape[:-1], q.dtype)
    traffic.store(out, maximum, total)
    for columns in tiles(k.shape[2], tile.keys):
        k_tile, v_tile = k[:, :, columns], v[:, :, columns]
        traffic.load(k_tile, v_tile)
        for rows in tiles(q.shape[2], tile.queries):
            if is_hidden(rows, columns, offset, causal):
                continue
            q_tile, o_tile, m, sums = q[:, :, rows], out[:, :, rows], maximum[:, :, rows], total[:, :, rows]
            traffic.load(q_tile, o_tile, m, sums)
            s = traffic.multiply(q_tile * scale, k_tile.swapaxes(-1, -2))
            hide(s, rows, columns, offset, causal)
            m_new = np.maximum(m, s.max(axis=-1))
            shift = finite(m_new)
            s -= shift[..., None]
            p = np.exp(s, out=s)
            kept = sums * np.exp(m - shift)
            l_new = kept + p.sum(axis=-1)
            o_tile *= kept[..., None]
            o_tile += traffic.multiply(p, v_tile)
            o_tile /= np.where(l_new > 0, l_new, 1)[..., None]
            m[...], sums[...] = m_new, l_new
            traffic.store(o_tile, m, sums)
    return out, maximum, total


def backward(
    q: np.ndarray,
    k: np.ndarray,
    v: np.ndarray,
    grad_out: np.ndarray,
    out: np.ndarray,
    maximum: np.ndarray,
    total: np.ndarray,
    causal: bool,
    tile: Tile,
    traffic: Traffic,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """dq, dk and dv; the probabilities of a tile are computed again from the stored maxima and sums."""
    scale, offset = q.dtype.type(1.0 / math.sqrt(q.shape[-1])), k.shape[2] - q.shape[2]
    dq, dk, dv = np.zeros_like(q), np.zeros_like(k), np.zeros_like(v)
    traffic.store(dq, dk, dv)
    for columns in tiles(k.shape[2], tile.keys):
        k_tile, v_tile, dk_tile, dv_tile = k[:, :, columns], v[:, :, columns], dk[:, :, columns], dv[:, :, columns]
        traffic.load(k_tile, v_tile)
        for rows in tiles(q.shape[2], tile.queries):
            if is_hidden(rows, columns, offset, causal):
                continue
            q_tile, o_tile, do_tile, dq_tile = q[:, :, rows], out[:, :, rows], grad_out[:, :, rows], dq[:, :, rows]
            m, sums = maximum[:, :, rows], total[:, :, rows]
            traffic.load(q_tile, o_tile, do_tile, dq_tile, m, sums)
            q_scaled = q_tile * scale
            s = traffic.multiply(q_scaled, k_tile.swapaxes(-1, -2))
            hide(s, rows, columns, offset, causal)
            s -= finite(m)[..., None]
            p = np.exp(s, out=s)
            p /= np.where(sums > 0, sums, 1)[..., None]
            dv_tile += traffic.multiply(p.swapaxes(-1, -2), do_tile)
            ds = traffic.multiply(do_tile, v_tile.swapaxes(-1, -2))
            ds -= np.einsum("bhic,bhic->bhi", do_tile, o_tile)[..., None]
            ds *= p
            dq_tile += traffic.multiply(ds, k_tile) * scale
            traffic.store(dq_tile)
            dk_tile += traffic.multiply(ds.swapaxes(-1, -2), q_scaled)
        traffic.store(dk_tile, dv_tile)
    return dq, dk, dv
