"""The oracle of the attention suite: softmax(q kᵀ / sqrt(d)) v and its gradients, written out in float64."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from harness.contract import Arrays, Inputs

# exp(16) keys would be needed for N(0,1) inputs to reach this log-sum-exp; below it errors are not scaled.
UNSCALED_LSE = 16.0
VANISHING = 1e-10


def reference(q: np.ndarray, k: np.ndarray, v: np.ndarray, grad_out: np.ndarray, causal: bool) -> Arrays:
    """out, lse and the gradients of <out, grad_out>, all float64; lse is -inf where a query sees no key."""
    batch, heads, queries, head_dim = q.shape
    keys = k.shape[2]
    hidden = np.arange(keys)[None, :] > np.arange(queries)[:, None] + (keys - queries)
    out, lse = np.zeros_like(q), np.full((batch, heads, queries), -np.inf)
    dq, dk, dv = np.zeros_like(q), np.zeros_like(k), np.zeros_like(v)
    # One head at a time: the whole score tensor of a large case would not fit beside the implementation's own.
    for b in range(batch):
        for h in range(heads):
            logits = q[b, h] @ k[b, h].T / math.sqrt(head_dim)
            if causal:
                logits[hidden] = -np.inf
            largest = logits.max(axis=1, keepdims=True)
            weights = np.exp(logits - np.where(np.isfinite(largest), largest, 0.0))
            total = weights.sum(axis=1, keepdims=True)
            sees = total[:, 0] > 0
            weights[sees] /= total[sees]
            lse[b, h, sees] = largest[sees, 0] + np.log(total[sees, 0])
            out[b, h] = weights @ v[b, h]
            dv[b, h] = weights.T @ grad_out[b, h]
            slope = grad_out[b, h] @ v[b, h].T
            slope = weights * (slope - (weights * slope).sum(axis=1, keepdims=True))
            dq[b, h] = slope @ k[b, h] / math.sqrt(head_dim)
            dk[b, h] = slope.T @ q[b, h] / math.sqrt(head_dim)
    return {"out": out, "lse": lse, "dq": dq, "dk": dk, "dv": dv}


def measure_errors(outputs: Arrays, expected: Arrays, inputs: Inputs, kind: str) -> Mapping[str, float]:
    """Largest absolute difference over the largest value expected; for out, over the mean of that and 1, at most 1.

    The output shrinks as 1 / sqrt(N) for N(0,1) inputs: an absolute error alone would let zeros pass in half precision,
    a relative one would ask of long sequences what no order of summation in float32 gives.

    Two things that no implementation can help are taken out. A log-sum-exp of size L is rounded by up to L eps / 2,
    and exp hands that on as a relative error of P: beyond L = 16, which N(0,1) inputs do not reach, errors are divided
    by L / 4, which makes this rounding two units. And a gradient that is zero in exact arithmetic (with one key the
    softmax is constant) is the difference of two equal sums, so it is measured against the size of their terms.
    """
    finite = np.abs(expected["lse"][np.isfinite(expected["lse"])])
    largest = float(finite.max(initial=0.0))
    amplification = largest / 4.0 if largest > UNSCALED_LSE else 1.0
    errors = {}
    for name, output in outputs.items():
        error, size = _difference(output, expected[name])
        if name == "lse":
            errors[name] = error / max(1.0, size)
            continue
        if name == "out":
            size = min(1.0, (1.0 + size) / 2.0)
        elif size < VANISHING:
            size = _size_of_terms(name, inputs)
        errors[name] = error / (size * amplification if size > 0 else 1.0)
    return errors


def _difference(output: np.ndarray, expected: np.ndarray) -> tuple[float, float]:
    """Largest absolute difference and largest finite value; infinities have to be where they are expected."""
    wide, finite = output.astype(np.float64), np.isfinite(expected)
    if np.any(wide[~finite] != expected[~finite]) or not np.all(np.isfinite(wide[finite])):
        return math.inf, 1.0
    difference = np.abs(wide[finite] - expected[finite]).max(initial=0.0)
    return float(difference), float(np.abs(expected[finite]).max(initial=0.0))


def _size_of_terms(name: str, inputs: Inputs) -> float:
    """How large the terms get that cancel in a vanishing dq or dk: |grad_out| |v| |k or q| / sqrt(d)."""

    def longest(array: np.ndarray) -> float:
        return float(np.linalg.norm(array.astype(np.float64), axis=-1).max(initial=0.0))

    other = {"dq": "k", "dk": "q"}.get(name)
    if other is None:
        return 0.0
    size = longest(inputs["grad_out"]) * longest(inputs["v"]) * longest(inputs[other])
    return size / math.sqrt(inputs["q"].shape[-1])
