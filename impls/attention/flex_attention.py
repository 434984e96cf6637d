"""torch.compile(flex_attention) with a block mask (Dong et al. 2024): a mask is Python code, the kernel is generated.

CUDA only: on a CPU the compiled operator has neither the log-sum-exp nor a backward pass.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch.nn.attention.flex_attention import AuxRequest, BlockMask, create_block_mask, flex_attention

from harness.contract import implements
from impls.building_blocks.attention.causal import with_blind_rows
from suites.attention.suite import SUITE

COMPILED: Callable[..., Any] = torch.compile(flex_attention)


@implements(SUITE, library="torch", arrays="torch", devices=("cuda",), dtypes=("float32", "bfloat16", "float16"))
def attention(
    q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, grad_out: torch.Tensor, causal: bool
) -> Iterator[tuple[torch.Tensor, ...]]:
    """The first call compiles, which is set-up. The block mask of a causal case is made in every call and timed."""
    queries, keys = q.shape[2], k.shape[2]
    block_mask = _bottom_right(queries, keys, q.device) if causal else None
    leaves = tuple(tensor.detach().requires_grad_() for tensor in (q, k, v))
    with torch.enable_grad():
        out, aux = COMPILED(*leaves, block_mask=block_mask, return_aux=AuxRequest(lse=True))
    yield out.detach(), with_blind_rows(aux.lse.detach(), keys, causal)
    yield torch.autograd.grad(out, leaves, grad_out)


def _bottom_right(queries: int, keys: int, device: torch.device) -> BlockMask:
    offset = keys - queries

    def is_seen(batch: torch.Tensor, head: torch.Tensor, i: torch.Tensor, j: torch.Tensor) -> torch.Tensor:
        return j <= i + offset

    return create_block_mask(is_seen, None, None, queries, keys, device=device)
