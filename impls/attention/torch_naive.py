"""The definition in torch operators, scores and probabilities stored in the dtype of the inputs."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch

from harness.contract import implements
from impls.building_blocks.attention.causal import hidden_pairs
from suites.attention.suite import SUITE


@implements(SUITE, arrays="torch", devices=("cpu", "cuda"), dtypes=("float32", "float64", "bfloat16", "float16"))
def attention(
    q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, grad_out: torch.Tensor, causal: bool
) -> Iterator[tuple[torch.Tensor, ...]]:
    """The yardstick of rounding: what the dtype loses when every step of the formulas is rounded to it."""
    scale = 1.0 / math.sqrt(q.shape[-1])
    s = (q * scale) @ k.mT
    if causal:
        s.masked_fill_(hidden_pairs(q.shape[2], k.shape[2], q.device), -math.inf)
    lse = torch.logsumexp(s.to(torch.promote_types(s.dtype, torch.float32)), dim=-1)
    # softmax of a row without visible keys is 0 / 0
    p = torch.softmax(s, dim=-1).masked_fill_(torch.isneginf(lse).unsqueeze(-1), 0.0)
    del s
    yield p @ v, lse
    dv = p.mT @ grad_out
    dp = grad_out @ v.mT
    ds = p * (dp - (p * dp).sum(dim=-1, keepdim=True))
    yield (ds @ k) * scale, ds.mT @ (q * scale), dv
