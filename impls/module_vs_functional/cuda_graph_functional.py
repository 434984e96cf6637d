"""Replay of a CUDA graph that functional calls were captured in. Capturing is set-up."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from harness.contract import Inline, implements
from impls.building_blocks.module_vs_functional.capturing import replayed
from impls.building_blocks.module_vs_functional.layers import prepare
from suites.module_vs_functional.suite import SUITE, Settings


@implements(
    SUITE,
    arrays="torch",
    devices=("cuda",),
    kind="reordered",
    inline=True,
    limits={"grad": (False,), "layer": ("linear",)},
)
def call(x: Tensor, weight: Tensor, bias: Tensor, running: Tensor, cotangent: Tensor, settings: Settings) -> Inline:
    prepared = prepare(x, weight, bias, running, cotangent, settings)
    parameters = prepared.captured

    def chain(value: Tensor) -> Tensor:
        for w, b in parameters:
            value = F.linear(value, w, b)
        return value

    return replayed(prepared, chain)
