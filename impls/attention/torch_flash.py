"""scaled_dot_product_attention's FLASH_ATTENTION backend: FlashAttention-2 on CUDA, ATen's own tiling on the CPU.

The backend's operator is called by name: it raises where it does not apply, it cannot fall back to another backend,
and it returns the log-sum-exp, which scaled_dot_product_attention drops. Its backward operator is called likewise.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch

from harness.contract import implements
from impls.building_blocks.attention.causal import causal_bias, with_blind_rows
from suites.attention.suite import SUITE

ATEN = torch.ops.aten


@implements(
    SUITE,
    library="torch",
    arrays="torch",
    devices=("cpu", "cuda"),
    dtypes=("float32", "float64", "bfloat16", "float16"),
)
def attention(
    q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, grad_out: torch.Tensor, causal: bool
) -> Iterator[tuple[torch.Tensor, ...]]:
    """float32 and float64 are for the CPU: the CUDA kernel takes half precision only and raises on others."""
    yield from (_on_cpu if q.device.type == "cpu" else _on_cuda)(q, k, v, grad_out, causal)


def _on_cpu(
    q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, grad_out: torch.Tensor, causal: bool
) -> Iterator[tuple[torch.Tensor, ...]]:
    queries, keys = q.shape[2], k.shape[2]
    # is_causal is aligned to the top left here, so only square cases can use it and skip the hidden half.
    bias = causal_bias(queries, keys, q) if causal and queries != keys else None
    is_causal = causal and bias is None
    out, lse = ATEN._scaled_dot_product_flash_attention_for_cpu(q, k, v, 0.0, is_causal, attn_mask=bias)
    yield out, with_blind_rows(lse, keys, causal)
    yield ATEN._scaled_dot_product_flash_attention_for_cpu_backward(
        grad_out, q, k, v, out, lse, 0.0, is_causal, attn_mask=bias
    )


def _on_cuda(
    q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, grad_out: torch.Tensor, causal: bool
) -> Iterator[tuple[torch.Tensor, ...]]:
    # The CUDA operator is aligned to the bottom right, as FlashAttention 2.1 and later are.
    out, lse, cum_q, cum_k, max_q, max_k, rng_state, unused, _ = ATEN._scaled_dot_product_flash_attention(
        q, k, v, 0.0, causal
    )
    yield out, with_blind_rows(lse, k.shape[2], causal)
    yield ATEN._scaled_dot_product_flash_attention_backward(
        grad_out, q, k, v, out, lse, cum_q, cum_k, max_q, max_k, 0.0, causal, rng_state, unused
    )
