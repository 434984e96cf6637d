"""`layer.forward(x)`: the module without its `__call__`, and so without hooks."""

from __future__ import annotations

from torch import Tensor

from harness.contract import Inline, implements
from impls.building_blocks.module_vs_functional.layers import prepare
from suites.module_vs_functional.suite import SUITE, Settings


@implements(SUITE, arrays="torch", dtypes=("float32", "float64"), inline=True)
def call(x: Tensor, weight: Tensor, bias: Tensor, running: Tensor, cotangent: Tensor, settings: Settings) -> Inline:
    prepared = prepare(x, weight, bias, running, cotangent, settings)
    if settings.depth == 1:
        return prepared.inline("layer.forward(x)", layer=prepared.layer)
    layers = prepared.modules

    def chain(value: Tensor) -> Tensor:
        for layer in layers:
            value = layer.forward(value)
        return value

    return prepared.inline("chain(x)", chain=chain)
