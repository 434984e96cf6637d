"""FlashAttention-2 on CPU vector registers with numba (Dao 2023): tiles of 64 queries by 96 keys, all in float32."""

from __future__ import annotations

from collections.abc import Iterator

import numba
import numpy as np

from harness.contract import implements
from impls.building_blocks.attention.numba import backward, forward
from impls.building_blocks.attention.softmax import softmax_rows
from suites.attention.suite import SUITE


@implements(SUITE, counters=softmax_rows)
def attention(
    q: np.ndarray, k: np.ndarray, v: np.ndarray, grad_out: np.ndarray, causal: bool
) -> Iterator[tuple[np.ndarray, ...]]:
    q_heads, k_heads, v_heads, grad_heads = (
        np.ascontiguousarray(array).reshape(-1, *array.shape[2:]) for array in (q, k, v, grad_out)
    )
    workers = numba.get_num_threads()
    out, lse = forward(q_heads, k_heads, v_heads, causal, workers)
    yield out.reshape(q.shape), lse.reshape(q.shape[:-1])
    dq, dk, dv = backward(q_heads, k_heads, v_heads, grad_heads, out, lse, causal, workers)
    yield dq.reshape(q.shape), dk.reshape(k.shape), dv.reshape(v.shape)
