"""FlashAttention-2 from the package flash-attn (Dao 2023); head_dim up to 256, half precision, CUDA."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from flash_attn import flash_attn_func

from harness.contract import implements
from impls.building_blocks.attention.flash_package import run
from suites.attention.suite import SUITE


@implements(
    SUITE,
    library="flash-attn",
    arrays="torch",
    devices=("cuda",),
    dtypes=("bfloat16", "float16"),
    limits={"head_dim": 256},
)
def attention(
    q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, grad_out: torch.Tensor, causal: bool
) -> Iterator[tuple[torch.Tensor, ...]]:
    yield from run(flash_attn_func, q, k, v, grad_out, causal)
