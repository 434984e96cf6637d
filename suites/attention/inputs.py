"""Inputs of the attention suite: N(0,1) draws and the adversarial ones that break a careless softmax."""

from __future__ import annotations

import math

import numpy as np

from harness.contract import Inputs

LARGEST_LOGIT = 1e4
RISE_OF_LOGITS = 32.0


def make_inputs(
    rng: np.random.Generator,
    batch: int,
    heads: int,
    seq_len: int,
    head_dim: int,
    causal: bool,
    extra_queries: int = 0,
    data: str = "normal",
) -> Inputs:
    """q and grad_out (B, H, Nq, d), k and v (B, H, Nk, d) with Nk = ``seq_len`` and Nq = Nk + ``extra_queries``.

    ``data`` names what the logits look like. The adversarial ones keep one component of q and k for the logits and
    leave the others free, so that no gradient vanishes and the wanted logits survive the rounding to half precision.
    """
    queries = seq_len + extra_queries
    if queries < 1:
        raise ValueError(f"seq_len={seq_len} with extra_queries={extra_queries} leaves no query")
    q, grad_out = (rng.standard_normal((batch, heads, queries, head_dim)) for _ in range(2))
    k, v = (rng.standard_normal((batch, heads, seq_len, head_dim)) for _ in range(2))
    if data == "large_logits":
        q[...] = 0.0
        k[..., 0] = 16.0 * rng.choice([-1.0, 1.0], size=k.shape[:-1])
        q[..., 0] = LARGEST_LOGIT * math.sqrt(head_dim) / 16.0 * rng.choice([-1.0, 1.0], size=q.shape[:-1])
    elif data == "rising_maximum":
        q[...] = 0.0
        q[..., 0] = math.sqrt(head_dim)
        k[..., 0] = np.linspace(-RISE_OF_LOGITS / 2, RISE_OF_LOGITS / 2, seq_len)
    elif data == "equal_logits":
        q[...] = 0.0
        q[..., 0] = 1.0
        k[..., 0] = 1.0
    elif data == "one_huge_logit":
        q[..., 0] = 0.0
        k[..., 0] = 0.0
        q[:, :, queries // 2, 0] = 2.0 * math.sqrt(head_dim)
        k[:, :, seq_len // 3, 0] = LARGEST_LOGIT / 2.0
    elif data != "normal":
        raise ValueError(f"no data called {data!r}")
    return {"q": q, "k": k, "v": v, "grad_out": grad_out, "causal": causal}
