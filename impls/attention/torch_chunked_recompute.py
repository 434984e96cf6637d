"""An autograd.Function over chunks of queries that saves q, k, v, out and lse only (Dao et al. 2022, Section 3.1).

No chunk of scores outlives its step: the backward pass computes it again as exp(S - lse).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import torch

from harness.contract import implements
from suites.attention.suite import SUITE

# Chunks of scores of this many bytes in all stay in a CPU's second-level cache and still fill a GPU.
CHUNK_BYTES = {"cpu": 1 << 20, "cuda": 1 << 28}


class ChunkedAttention(torch.autograd.Function):
    """(q, k, v, causal) to (out, lse); lse (B, H, Nq) is float32, float64 for float64, and gets no gradient."""

    @staticmethod
    def forward(ctx: Any, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, causal: bool) -> Any:
        out = torch.empty_like(q)
        lse = torch.empty(q.shape[:-1], dtype=torch.promote_types(q.dtype, torch.float32), device=q.device)
        for rows, keys in _chunks(q, k, causal):
            s = _scores(q[:, :, rows], k[:, :, :keys], rows, q.shape[2], k.shape[2], causal)
            torch.logsumexp(s, dim=-1, out=lse[:, :, rows])
            p = s.sub_(_finite(lse[:, :, rows]).unsqueeze(-1)).exp_()
            out[:, :, rows] = p.to(v.dtype) @ v[:, :, :keys]
        ctx.save_for_backward(q, k, v, out, lse)
        ctx.causal = causal
        ctx.mark_non_differentiable(lse)
        return out, lse

    @staticmethod
    def backward(ctx: Any, grad_out: torch.Tensor, _: Any) -> Any:
        q, k, v, out, lse = ctx.saved_tensors
        scale, wide = 1.0 / math.sqrt(q.shape[-1]), lse.dtype
        dq, dk, dv = torch.zeros_like(q), torch.zeros_like(k, dtype=wide), torch.zeros_like(v, dtype=wide)
        for rows, keys in _chunks(q, k, ctx.causal):
            k_seen, v_seen, do = k[:, :, :keys], v[:, :, :keys], grad_out[:, :, rows]
            s = _scores(q[:, :, rows], k_seen, rows, q.shape[2], k.shape[2], ctx.causal)
            p = s.sub_(_finite(lse[:, :, rows]).unsqueeze(-1)).exp_()
            dv[:, :, :keys] += p.to(v.dtype).mT @ do
            d = (do.to(wide) * out[:, :, rows].to(wide)).sum(dim=-1, keepdim=True)
            ds = ((do @ v_seen.mT).to(wide).sub_(d).mul_(p) * scale).to(q.dtype)
            dq[:, :, rows] = ds @ k_seen
            dk[:, :, :keys] += ds.mT @ q[:, :, rows]
        return dq, dk.to(k.dtype), dv.to(v.dtype), None


def _chunks(q: torch.Tensor, k: torch.Tensor, causal: bool) -> Iterator[tuple[slice, int]]:
    """Slices of queries, each with the number of keys (the first ones) that any of them sees."""
    batch, heads, queries, _ = q.shape
    keys = k.shape[2]
    per_row = batch * heads * keys * max(4, q.element_size())
    size = max(16, min(queries, CHUNK_BYTES[q.device.type] // per_row))
    for start in range(0, queries, size):
        stop = min(start + size, queries)
        yield slice(start, stop), max(1, min(keys, stop + keys - queries)) if causal else keys


def _scores(q: torch.Tensor, k: torch.Tensor, rows: slice, queries: int, keys: int, causal: bool) -> torch.Tensor:
    """Scaled scores of a chunk in the accumulator's dtype, -inf where the causal rule hides the key."""
    s = ((q * (1.0 / math.sqrt(q.shape[-1]))) @ k.mT).to(torch.promote_types(q.dtype, torch.float32))
    # Key j is hidden from row r of the chunk when j > r + rows.start + Nk - Nq.
    if causal:
        diagonal = rows.start + keys - queries + 1
        if diagonal < s.shape[-1]:
            ones = torch.ones(s.shape[-2:], dtype=torch.bool, device=s.device)
            s.masked_fill_(ones.triu(diagonal), -math.inf)
    return s


def _finite(lse: torch.Tensor) -> torch.Tensor:
    """lse with 0 in the rows that see no key, where -inf would be subtracted from -inf."""
    return lse.masked_fill(torch.isneginf(lse), 0.0)


@implements(SUITE, arrays="torch", devices=("cpu", "cuda"), dtypes=("float32", "float64", "bfloat16", "float16"))
def attention(
    q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, grad_out: torch.Tensor, causal: bool
) -> Iterator[tuple[torch.Tensor, ...]]:
    leaves = tuple(tensor.detach().requires_grad_() for tensor in (q, k, v))
    with torch.enable_grad():
        out, lse = ChunkedAttention.apply(*leaves, causal)
    yield out.detach(), lse
    yield torch.autograd.grad(out, leaves, grad_out)
