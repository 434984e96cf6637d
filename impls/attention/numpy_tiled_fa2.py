"""FlashAttention-2 in NumPy (Dao 2023, Algorithms 1 and 2): queries outside, one division at the end."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from harness.contract import implements
from impls.building_blocks.attention.fa2 import backward, forward
from impls.building_blocks.attention.traffic import Traffic
from suites.attention.suite import SUITE

# The paper's tiles are 64 or 128 on a side. NumPy is called ten times per tile, so the larger side is the better one.
QUERY_TILE, KEY_TILE = 128, 128


def count(
    q: np.ndarray,
    k: np.ndarray,
    v: np.ndarray,
    grad_out: np.ndarray | None,
    *,
    causal: bool = False,
    query_tile: int = QUERY_TILE,
    key_tile: int = KEY_TILE,
) -> Traffic:
    """Runs the algorithm and counts as it goes; ``grad_out=None`` runs the forward pass alone."""
    traffic = Traffic()
    out, lse = forward(q, k, v, causal, query_tile, key_tile, traffic)
    if grad_out is not None:
        backward(q, k, v, grad_out, out, lse, causal, query_tile, key_tile, traffic)
    return traffic


@implements(SUITE, dtypes=("float32", "float64"), counters=count)
def attention(
    q: np.ndarray, k: np.ndarray, v: np.ndarray, grad_out: np.ndarray, causal: bool
) -> Iterator[tuple[np.ndarray, ...]]:
    traffic = Traffic()
    out, lse = forward(q, k, v, causal, QUERY_TILE, KEY_TILE, traffic)
    yield out, lse
    yield backward(q, k, v, grad_out, out, lse, causal, QUERY_TILE, KEY_TILE, traffic)
