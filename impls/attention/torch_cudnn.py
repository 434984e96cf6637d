"""scaled_dot_product_attention's CUDNN_ATTENTION backend, by its operator: it raises where cuDNN has no kernel."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from harness.contract import implements
from suites.attention.suite import SUITE


# The operator's is_causal is aligned to the top left, which is the rule of this suite on square cases only.
@implements(
    SUITE,
    library="torch",
    arrays="torch",
    devices=("cuda",),
    dtypes=("bfloat16", "float16"),
    limits={"extra_queries": (0,)},
)
def attention(
    q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, grad_out: torch.Tensor, causal: bool
) -> Iterator[tuple[torch.Tensor, ...]]:
    out, lse, cum_q, cum_k, max_q, max_k, seed, offset, _ = torch.ops.aten._scaled_dot_product_cudnn_attention(
        q, k, v, None, True, 0.0, causal
    )
    yield out, lse.view(q.shape[:-1])
    yield torch.ops.aten._scaled_dot_product_cudnn_attention_backward(
        grad_out, q, k, v, out, lse, seed, offset, None, cum_q, cum_k, max_q, max_k, 0.0, causal
    )
