"""NumPy's `x @ weight.T + bias`: another library's kernel, for what the kernel alone takes."""

from __future__ import annotations

from typing import Any

import numpy as np

from harness.contract import Inline, implements
from suites.module_vs_functional.suite import SUITE, Settings


@implements(
    SUITE,
    dtypes=("float32", "float64"),
    kind="reordered",
    inline=True,
    limits={"layer": ("linear",), "grad": (False,), "variant": ("plain",), "strided": (False,), "hooks": 0, "depth": 1},
)
def call(
    x: np.ndarray,
    weight: np.ndarray,
    bias: np.ndarray,
    running: np.ndarray,
    cotangent: np.ndarray,
    settings: Settings,
) -> Inline:
    nothing = np.zeros(0, dtype=x.dtype)
    names: dict[str, Any] = {"x": x, "weight": weight[0]}
    expression = "x @ weight.T"
    if bias.size:
        expression, names = "x @ weight.T + bias", {**names, "bias": bias[0]}
    return Inline(expression, names, answer=lambda output: (output, nothing, nothing, nothing))
