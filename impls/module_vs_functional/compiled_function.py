"""`torch.compile` of a function of captured weights: one graph per call. The first call compiles, which is set-up."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from harness.contract import Inline, implements
from impls.building_blocks.module_vs_functional.compiling import compiled
from impls.building_blocks.module_vs_functional.layers import prepare
from suites.module_vs_functional.suite import SUITE, Settings


@implements(SUITE, arrays="torch", kind="reordered", inline=True, limits={"depth": (32,)})
def call(x: Tensor, weight: Tensor, bias: Tensor, running: Tensor, cotangent: Tensor, settings: Settings) -> Inline:
    """Only for the chain of 32: each other case would be compiled anew, for seconds."""
    prepared = prepare(x, weight, bias, running, cotangent, settings)

    def chain(value: Tensor, parameters: list[tuple[Tensor, Tensor]]) -> Tensor:
        for w, b in parameters:
            value = F.linear(value, w, b)
        return value

    return prepared.inline("chain(x, parameters)", chain=compiled(chain), parameters=prepared.captured)
