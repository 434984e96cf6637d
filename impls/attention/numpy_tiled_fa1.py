"""FlashAttention in NumPy (Dao et al. 2022, Algorithms 1 and 4): keys outside, output normalised at every tile."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import numpy as np

from harness.contract import implements
from impls.building_blocks.attention.fa1 import Tile, backward, forward
from impls.building_blocks.attention.tiles import log_sum_exp
from impls.building_blocks.attention.traffic import Traffic
from impls.building_blocks.attention.untiled import count_untiled
from suites.attention.suite import SUITE

# An A100's 192 KB of on-chip memory in float16, the machine of the paper: tiles of 384 keys by 64 queries for d = 64.
ON_CHIP_ELEMENTS = 98_304


def count(
    algorithm: Literal["tiled", "untiled"],
    q: np.ndarray,
    k: np.ndarray,
    v: np.ndarray,
    grad_out: np.ndarray | None,
    *,
    query_tile: int = 0,
    key_tile: int = 0,
    dropout: bool = False,
    mask: bool = False,
) -> Traffic:
    """Runs the tiled algorithm at the given tile, or the untiled one it is compared with, and counts as it goes.

    ``grad_out=None`` runs the forward pass of the tiled algorithm alone. No causal mask.
    """
    traffic = Traffic()
    if algorithm == "untiled":
        assert grad_out is not None
        count_untiled(q, k, v, grad_out, dropout=dropout, mask=mask, traffic=traffic)
        return traffic
    tile = Tile(query_tile, key_tile)
    out, maximum, total = forward(q, k, v, False, tile, traffic)
    if grad_out is not None:
        backward(q, k, v, grad_out, out, maximum, total, False, tile, traffic)
    return traffic


@implements(SUITE, dtypes=("float32", "float64"), counters=count)
def attention(
    q: np.ndarray, k: np.ndarray, v: np.ndarray, grad_out: np.ndarray, causal: bool
) -> Iterator[tuple[np.ndarray, ...]]:
    tile, traffic = Tile.for_chip(ON_CHIP_ELEMENTS, q.shape[-1]), Traffic()
    out, maximum, total = forward(q, k, v, causal, tile, traffic)
    yield out, log_sum_exp(maximum, total)
    yield backward(q, k, v, grad_out, out, maximum, total, causal, tile, traffic)
