"""Replay of a CUDA graph that the modules' calls were captured in. Capturing is set-up."""

from __future__ import annotations

from torch import Tensor, nn

from harness.contract import Inline, implements
from impls.building_blocks.module_vs_functional.capturing import replayed
from impls.building_blocks.module_vs_functional.layers import prepare
from suites.module_vs_functional.suite import SUITE, Settings


@implements(SUITE, arrays="torch", devices=("cuda",), kind="reordered", inline=True, limits={"grad": (False,)})
def call(x: Tensor, weight: Tensor, bias: Tensor, running: Tensor, cotangent: Tensor, settings: Settings) -> Inline:
    prepared = prepare(x, weight, bias, running, cotangent, settings)
    return replayed(prepared, nn.Sequential(*prepared.modules))
