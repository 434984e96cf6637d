"""The function is called with weights captured beforehand: `F.linear(x, weight, bias)`."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from harness.contract import Inline, implements
from impls.building_blocks.module_vs_functional.functions import FUNCTIONAL, captured
from impls.building_blocks.module_vs_functional.layers import prepare
from suites.module_vs_functional.suite import SUITE, Settings


@implements(SUITE, arrays="torch", dtypes=("float32", "float64"), inline=True)
def call(x: Tensor, weight: Tensor, bias: Tensor, running: Tensor, cotangent: Tensor, settings: Settings) -> Inline:
    prepared = prepare(x, weight, bias, running, cotangent, settings)
    if settings.depth == 1:
        expression = FUNCTIONAL[settings.layer]
        return prepared.inline(expression, **captured(prepared.layer, expression))
    parameters = prepared.captured

    def chain(value: Tensor) -> Tensor:
        for w, b in parameters:
            value = F.linear(value, w, b)
        return value

    return prepared.inline("chain(x)", chain=chain)
