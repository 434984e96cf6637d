"""The log-sum-exp of a library that returns probabilities instead, without going over all of them again."""

from __future__ import annotations

import math

import torch


@torch.no_grad()
def lse_from_probabilities(p: torch.Tensor, q: torch.Tensor, k: torch.Tensor, scale: float) -> torch.Tensor:
    """LSE (B, H, Nq) in float32 (float64 for float64) from P = exp(S - LSE): LSE_i = S_ij - log P_ij for any key j.

    j is the last key that the bottom-right causal rule shows to query i, which is cheap to find. Where P_ij is too
    small to keep its digits, j is the row's largest instead. Rows of P that are all zero have LSE = -inf.
    """
    queries, keys = q.shape[2], k.shape[2]
    wide = torch.promote_types(p.dtype, torch.float32)
    seen = torch.arange(queries, device=q.device) + (keys - queries)
    column = seen.clamp(0, keys - 1).view(1, 1, -1, 1).expand(*p.shape[:2], -1, 1)
    chosen = p.gather(-1, column)
    # Two square roots of the smallest normal number keep the product of rounding and underflow below one digit.
    small = (chosen < torch.finfo(p.dtype).smallest_normal ** 0.5).any()
    if small:
        chosen, column = p.max(dim=-1, keepdim=True)
    partner = k.gather(2, column.expand(-1, -1, -1, k.shape[-1]))
    logit = (q.to(wide) * partner.to(wide)).sum(dim=-1) * scale
    lse = logit - chosen[..., 0].to(wide).log()
    return lse.masked_fill_(chosen[..., 0] == 0, -math.inf)
