"""How the flash-attn packages are called: arrays as (B, N, H, d), gradients by autograd."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch

from impls.building_blocks.attention.causal import with_blind_rows


def run(
    function: Callable[..., Any],
    q: torch.Tensor,
    k: torch.Tensor,
    v: torch.Tensor,
    grad_out: torch.Tensor,
    causal: bool,
) -> Iterator[tuple[torch.Tensor, ...]]:
    """Both phases with ``function(q, k, v, causal=, return_attn_probs=True)``, which returns out and lse first.

    The packages want (B, N, H, d) with contiguous last axes, which transposing makes without a copy. Their causal rule
    has been aligned to the bottom right since version 2.1; a row without keys gets out = 0 and lse = +inf.
    """
    leaves = tuple(tensor.transpose(1, 2).detach().requires_grad_() for tensor in (q, k, v))
    with torch.enable_grad():
        out, lse, *_ = function(*leaves, causal=causal, return_attn_probs=True)
    yield out.detach().transpose(1, 2), with_blind_rows(lse.detach(), k.shape[2], causal)
    gradients = torch.autograd.grad(out, leaves, grad_out.transpose(1, 2))
    yield tuple(gradient.transpose(1, 2) for gradient in gradients)
