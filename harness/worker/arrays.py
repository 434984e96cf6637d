"""Drawing a suite's inputs, handing them over in the form an implementation takes, and taking outputs back.

All of this is outside the timed part.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from harness.contract import ArrayKind, Inputs, Suite

EPSILON = {"float64": 2.0**-52, "float32": 2.0**-23, "float16": 2.0**-10, "bfloat16": 2.0**-7}


def draw_inputs(suite: Suite, case: Mapping[str, Any], dtype: str, seed: int) -> Inputs:
    """The suite's inputs for ``seed``, floating arrays rounded to ``dtype``.

    A dtype that NumPy does not have (bfloat16) is held in float32 arrays of representable values.

    :raises TypeError: the inputs' names are not the reference's parameters.
    """
    inputs = suite.make_inputs(np.random.default_rng(seed), **case)
    if tuple(inputs) != suite.parameters:
        raise TypeError(
            f"suite {suite.name!r}: make_inputs gives {tuple(inputs)}, the reference takes {suite.parameters}"
        )
    return {name: _round(value, dtype) if _is_cast(suite, name, value) else value for name, value in inputs.items()}


def _is_cast(suite: Suite, name: str, value: Any) -> bool:
    floating = isinstance(value, np.ndarray) and np.issubdtype(value.dtype, np.floating)
    return floating and (suite.cast is None or name in suite.cast)


def _round(array: np.ndarray, dtype: str) -> np.ndarray:
    if dtype != "bfloat16":
        return np.ascontiguousarray(array, dtype=dtype)
    bits = np.ascontiguousarray(array, dtype=np.float32).view(np.uint32)
    half = np.uint32(0x7FFF) + ((bits >> np.uint32(16)) & np.uint32(1))
    return ((bits + half) & np.uint32(0xFFFF0000)).view(np.float32)


def for_reference(suite: Suite, inputs: Inputs) -> Inputs:
    """The same inputs with floating arrays in float64, or as they are where the suite asks for bits."""
    if suite.bitwise:
        return dict(inputs)
    return {
        name: value.astype(np.float64)
        if isinstance(value, np.ndarray) and np.issubdtype(value.dtype, np.floating)
        else value
        for name, value in inputs.items()
    }


def hand_over(suite: Suite, inputs: Inputs, arrays: ArrayKind, device: str, dtype: str) -> Inputs:
    """Copies of ``inputs`` as ``arrays`` on ``device``; scalars stay as they are."""
    return {name: convert(suite, name, value, arrays, device, dtype) for name, value in inputs.items()}


def convert(suite: Suite, name: str, value: Any, arrays: ArrayKind, device: str, dtype: str) -> Any:
    """A copy of one input in the form that an implementation takes."""
    if not isinstance(value, np.ndarray):
        return value
    if arrays == "python":
        return value.tolist()
    if arrays == "numpy":
        return value.copy()
    import torch

    tensor = torch.tensor(value, device=device)
    return tensor.to(getattr(torch, dtype)) if _is_cast(suite, name, value) else tensor


def take_back(value: Any) -> tuple[np.ndarray, str]:
    """An output as a NumPy array on the host and the name of the dtype it came in (``python`` for lists, scalars)."""
    if isinstance(value, np.ndarray | np.generic):
        return np.asarray(value), str(value.dtype)
    if type(value).__module__.split(".")[0] == "torch":
        import torch

        tensor = value.detach()
        name = str(tensor.dtype).removeprefix("torch.")
        return (tensor.to(torch.float32) if name == "bfloat16" else tensor).cpu().numpy(), name
    return np.asarray(value), "python"
