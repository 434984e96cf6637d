"""`torch.compile` of the modules in a row: one graph per call. The first call compiles, which is set-up."""

from __future__ import annotations

from torch import Tensor, nn

from harness.contract import Inline, implements
from impls.building_blocks.module_vs_functional.compiling import compiled
from impls.building_blocks.module_vs_functional.layers import prepare
from suites.module_vs_functional.suite import SUITE, Settings


@implements(SUITE, arrays="torch", kind="reordered", inline=True, limits={"depth": (32,)})
def call(x: Tensor, weight: Tensor, bias: Tensor, running: Tensor, cotangent: Tensor, settings: Settings) -> Inline:
    """Only for the chain of 32: each other case would be compiled anew, for seconds."""
    prepared = prepare(x, weight, bias, running, cotangent, settings)
    return prepared.inline("model(x)", model=compiled(nn.Sequential(*prepared.modules)))
