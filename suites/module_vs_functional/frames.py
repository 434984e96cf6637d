"""What a call does in Python: frames entered and instructions executed."""

from __future__ import annotations

import sys
from types import FrameType
from typing import Any

import numpy as np

from harness.contract import Implementation, Inline
from suites.module_vs_functional.settings import Layer

COUNTED: tuple[Layer, ...] = ("linear", "relu")
WARM_UP_CALLS = 20


def frames(rng: np.random.Generator, implementation: Implementation) -> dict[str, list[float]]:
    """Python frames and bytecode instructions of one call, without those of the expression that makes it.

    :returns: ``linear_frames``, ``linear_instructions`` and the same of relu: a deterministic count for a version of
        Python and of torch.
    """
    from suites.module_vs_functional.suite import make_inputs

    counts: dict[str, list[float]] = {}
    for layer in COUNTED:
        inputs = make_inputs(rng, layer, width=8, batch=1)
        handed = {name: _tensor(value) for name, value in inputs.items()}
        entered, executed = _count(implementation.function(**handed))
        counts[f"{layer}_frames"], counts[f"{layer}_instructions"] = [float(entered)], [float(executed)]
    return counts


def _tensor(value: Any) -> Any:
    import torch

    return torch.tensor(value, dtype=torch.float32) if isinstance(value, np.ndarray) else value


def _count(prepared: Inline) -> tuple[int, int]:
    code = compile(prepared.expression, "<counted>", "eval")
    names = dict(prepared.names)
    entered = executed = 0

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal entered, executed
        if frame.f_code is code:
            return trace
        entered += event == "call"
        executed += event == "opcode"
        frame.f_trace_opcodes = True
        return trace

    before = sys.gettrace()
    with prepared.within():
        for _ in range(WARM_UP_CALLS):
            eval(code, names)
        sys.settrace(trace)
        try:
            eval(code, names)
        finally:
            sys.settrace(before)
    return entered, executed
