"""The kernels of scaled_dot_product_attention's EFFICIENT_ATTENTION backend (Rabe & Staats 2021, as in xFormers).

The operator below the backend's own is called: it takes the bottom-right causal rule, as
torch.nn.attention.bias.causal_lower_right does, and it returns the log-sum-exp. It cannot fall back to another backend.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch

from harness.contract import implements
from suites.attention.suite import SUITE

# CausalVariant.LOWER_RIGHT of torch.nn.attention.bias, and no mask.
LOWER_RIGHT, NO_MASK = 2, 0


@implements(
    SUITE,
    library="torch",
    arrays="torch",
    devices=("cuda",),
    dtypes=("float32", "bfloat16", "float16"),
    limits={"extra_queries": 0},
)
def attention(
    q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, grad_out: torch.Tensor, causal: bool
) -> Iterator[tuple[torch.Tensor, ...]]:
    """The kernel wants (B, N, H, d), which transposing makes without a copy. Rows without keys are undocumented."""
    mask = LOWER_RIGHT if causal else NO_MASK
    q_t, k_t, v_t = (tensor.transpose(1, 2) for tensor in (q, k, v))
    out, lse, seed, offset, queries, keys = torch.ops.aten._efficient_attention_forward(
        q_t, k_t, v_t, None, None, None, None, None, 0.0, mask, True
    )
    # The kernel pads the log-sum-exp to whole tiles of queries.
    yield out.transpose(1, 2), lse[..., : q.shape[2]]
    dq, dk, dv, _ = torch.ops.aten._efficient_attention_backward(
        grad_out.transpose(1, 2),
        q_t,
        k_t,
        v_t,
        None,
        out,
        None,
        None,
        queries,
        keys,
        lse,
        0.0,
        seed,
        offset,
        mask,
        False,
    )
    yield dq.transpose(1, 2), dk.transpose(1, 2), dv.transpose(1, 2)
