"""scaled_dot_product_attention's MATH backend: unfused, the probabilities are stored for autograd.

The backend's operator is called by name, since it returns the probabilities, which the log-sum-exp is taken from in
O(N d); scaled_dot_product_attention itself would drop them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch

from harness.contract import implements
from impls.building_blocks.attention.causal import causal_bias
from impls.building_blocks.attention.lse import lse_from_probabilities
from suites.attention.suite import SUITE


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
    queries, keys = q.shape[2], k.shape[2]
    # Top-left alignment of is_causal: the bottom-right rule of a case that is not square has to go in as a bias.
    bias = causal_bias(queries, keys, q) if causal and queries != keys else None
    leaves = tuple(tensor.detach().requires_grad_() for tensor in (q, k, v))
    with torch.enable_grad():
        out, p = torch.ops.aten._scaled_dot_product_attention_math(*leaves, bias, 0.0, causal and bias is None)
    yield out.detach(), lse_from_probabilities(p, q, k, 1.0 / math.sqrt(q.shape[-1]))
    yield torch.autograd.grad(out, leaves, grad_out)
