"""The function is called with weights looked up in each call: `F.linear(x, layer.weight, layer.bias)`."""

from __future__ import annotations

from typing import Any

import torch.nn.functional as F
from torch import Tensor

from harness.contract import Inline, implements
from impls.building_blocks.module_vs_functional.functions import LOOKED_UP
from impls.building_blocks.module_vs_functional.layers import prepare
from suites.module_vs_functional.suite import SUITE, Settings


@implements(SUITE, arrays="torch", dtypes=("float32", "float64"), inline=True)
def call(x: Tensor, weight: Tensor, bias: Tensor, running: Tensor, cotangent: Tensor, settings: Settings) -> Inline:
    prepared = prepare(x, weight, bias, running, cotangent, settings)
    if settings.depth == 1:
        return prepared.inline(LOOKED_UP[settings.layer], F=F, layer=prepared.layer)
    layers: tuple[Any, ...] = prepared.modules

    def chain(value: Tensor) -> Tensor:
        for layer in layers:
            value = F.linear(value, layer.weight, layer.bias)
        return value

    return prepared.inline("chain(x)", chain=chain)
