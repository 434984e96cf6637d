"""FlashAttention-2 in Triton (Dao 2023): hidden tiles skipped, masks only on the tiles that need them, any N and d."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch

from harness.contract import implements
from impls.building_blocks.attention.triton_backward import launch as launch_backward
from impls.building_blocks.attention.triton_forward import launch as launch_forward
from suites.attention.suite import SUITE


def config(block_m: int, block_n: int, num_warps: int, num_stages: int) -> dict[str, int]:
    return {"BLOCK_M": block_m, "BLOCK_N": block_n, "num_warps": num_warps, "num_stages": num_stages}


def configs(head_dim: int, itemsize: int) -> tuple[dict[str, int], dict[str, int], dict[str, int]]:
    """Tiles of the forward, the dk and dv, and the dq kernel, from what fits into registers and shared memory.

    They are fixed and not tuned at the first call, so that a trial's set-up is compilation only. float32 products run
    without matrix instructions and take twice the space, so their tiles are half as large.
    """
    if itemsize == 4:
        side = 32 if head_dim <= 128 else 16
        return config(2 * side, side, 4, 1), config(side, side, 4, 1), config(side, side, 4, 1)
    if head_dim <= 64:
        return config(128, 64, 4, 3), config(32, 128, 4, 3), config(128, 32, 4, 3)
    if head_dim <= 128:
        return config(128, 64, 8, 3), config(32, 64, 4, 3), config(64, 32, 4, 3)
    return config(64, 32, 4, 2), config(32, 32, 4, 1), config(32, 32, 4, 1)


@implements(
    SUITE, arrays="torch", devices=("cuda",), dtypes=("float32", "bfloat16", "float16"), limits={"head_dim": 256}
)
def attention(
    q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, grad_out: torch.Tensor, causal: bool
) -> Iterator[tuple[torch.Tensor, ...]]:
    q, k, v, grad_out = (tensor.contiguous() for tensor in (q, k, v, grad_out))
    scale = 1.0 / math.sqrt(q.shape[-1])
    of_forward, of_keys, of_queries = configs(q.shape[-1], q.element_size())
    out, lse = torch.empty_like(q), torch.empty(q.shape[:-1], dtype=torch.float32, device=q.device)
    launch_forward(q, k, v, out, lse, causal, scale, of_forward)
    yield out, lse
    yield launch_backward(q, k, v, grad_out, out, lse, causal, scale, of_keys, of_queries)
