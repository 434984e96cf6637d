"""The memory traffic of standard attention, one kernel per step (Algorithms 0 and 3 of Dao et al. 2022)."""

from __future__ import annotations

import math

import numpy as np

from impls.building_blocks.attention.traffic import Traffic


def count_untiled(
    q: np.ndarray, k: np.ndarray, v: np.ndarray, grad_out: np.ndarray, *, dropout: bool, mask: bool, traffic: Traffic
) -> tuple[np.ndarray, ...]:
    """out, dq, dk and dv as separate kernels compute them; every kernel loads its operands and stores its result.

    :param dropout: a kernel of its own forward and backward, as in an eager framework. Its keep-mask of one byte per
        score counts as half a matrix element, which is right for float16. The probability of dropping is 0 here.
    :param mask: one more kernel forward that adds a mask to the scores in place.
    """
    scale = q.dtype.type(1.0 / math.sqrt(q.shape[-1]))
    keep = np.ones((*q.shape[:-1], k.shape[2]), dtype=np.bool_)

    def product(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        traffic.load(a, b)
        result = traffic.multiply(a, b)
        traffic.store(result)
        return result

    def drop(a: np.ndarray) -> np.ndarray:
        traffic.load(a)
        traffic.matrix_elements += keep.size // 2
        result = a * keep
        traffic.store(result)
        return result

    s = product(q, k.swapaxes(-1, -2))
    if mask:
        traffic.load(s)
        s = s + q.dtype.type(0)
        traffic.store(s)
    traffic.load(s)
    p = np.exp(s * scale - (s * scale).max(axis=-1, keepdims=True))
    p /= p.sum(axis=-1, keepdims=True)
    traffic.store(p)
    kept = drop(p) if dropout else p
    out = product(kept, v)
    dv = product(kept.swapaxes(-1, -2), grad_out)
    dp = product(grad_out, v.swapaxes(-1, -2))
    if dropout:
        dp = drop(dp)
    traffic.load(p, dp)
    ds = p * (dp - (p * dp).sum(axis=-1, keepdims=True)) * scale
    traffic.store(ds)
    return out, product(ds, k), product(ds.swapaxes(-1, -2), q), dv
