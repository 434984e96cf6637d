"""The definition in NumPy, scores and probabilities stored (Algorithm 0 of Dao et al. 2022)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from harness.contract import implements
from suites.attention.suite import SUITE


@implements(SUITE, dtypes=("float32", "float64"))
def attention(
    q: np.ndarray, k: np.ndarray, v: np.ndarray, grad_out: np.ndarray, causal: bool
) -> Iterator[tuple[np.ndarray, ...]]:
    """The probabilities (B, H, Nq, Nk) take the place of the scores and stay for the backward pass."""
    scale = q.dtype.type(1.0 / math.sqrt(q.shape[-1]))
    p, lse = probabilities(q, k, scale, causal)
    yield p @ v, lse
    dv = p.swapaxes(-1, -2) @ grad_out
    dp = grad_out @ v.swapaxes(-1, -2)
    dp -= np.einsum("bhij,bhij->bhi", p, dp)[..., None]
    dp *= p
    dp *= scale
    yield dp @ k, dp.swapaxes(-1, -2) @ q, dv


def probabilities(q: np.ndarray, k: np.ndarray, scale: Any, causal: bool) -> tuple[np.ndarray, np.ndarray]:
    """Softmax of the scaled scores (B, H, Nq, Nk) and their log-sum-exp (B, H, Nq)."""
    s = (q * scale) @ k.swapaxes(-1, -2)
    queries, keys = s.shape[-2:]
    if causal:
        s[..., np.arange(keys)[None, :] > np.arange(queries)[:, None] + (keys - queries)] = -np.inf
    largest = s.max(axis=-1, keepdims=True)
    shift = np.where(np.isneginf(largest), s.dtype.type(0), largest)
    s -= shift
    np.exp(s, out=s)
    total = s.sum(axis=-1, keepdims=True)
    with np.errstate(divide="ignore"):
        lse = (shift + np.log(total))[..., 0]
    s /= np.where(total > 0, total, s.dtype.type(1))
    return s, lse
