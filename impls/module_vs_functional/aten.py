"""The operator itself with captured weights: `torch.ops.aten.linear(x, weight, bias)`."""

from __future__ import annotations

import torch
from torch import Tensor

from harness.contract import Inline, implements
from impls.building_blocks.module_vs_functional.functions import ATEN, captured
from impls.building_blocks.module_vs_functional.layers import prepare
from suites.module_vs_functional.suite import SUITE, Settings


@implements(SUITE, arrays="torch", dtypes=("float32", "float64"), inline=True)
def call(x: Tensor, weight: Tensor, bias: Tensor, running: Tensor, cotangent: Tensor, settings: Settings) -> Inline:
    prepared = prepare(x, weight, bias, running, cotangent, settings)
    if settings.depth == 1:
        expression = ATEN[settings.layer]
        return prepared.inline(expression, **captured(prepared.layer, expression))
    parameters, aten = prepared.captured, torch.ops.aten

    def chain(value: Tensor) -> Tensor:
        for w, b in parameters:
            value = aten.linear(value, w, b)
        return value

    return prepared.inline("chain(x)", chain=chain)
