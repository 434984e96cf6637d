"""`torch.func.functional_call(layer, parameters, (x,))`: the module called with parameters from outside."""

from __future__ import annotations

from torch import Tensor, nn
from torch.func import functional_call

from harness.contract import Inline, implements
from impls.building_blocks.module_vs_functional.layers import prepare
from suites.module_vs_functional.suite import SUITE, Settings


@implements(SUITE, arrays="torch", dtypes=("float32", "float64"), inline=True)
def call(x: Tensor, weight: Tensor, bias: Tensor, running: Tensor, cotangent: Tensor, settings: Settings) -> Inline:
    prepared = prepare(x, weight, bias, running, cotangent, settings)
    pairs: list[tuple[nn.Module, dict[str, Tensor]]] = [
        (layer, dict(layer.named_parameters())) for layer in prepared.modules
    ]
    if settings.depth == 1:
        layer, parameters = pairs[0]
        names = {"functional_call": functional_call, "layer": layer, "parameters": parameters}
        return prepared.inline("functional_call(layer, parameters, (x,))", **names)

    def chain(value: Tensor) -> Tensor:
        for layer, parameters in pairs:
            value = functional_call(layer, parameters, (value,))
        return value

    return prepared.inline("chain(x)", chain=chain)
