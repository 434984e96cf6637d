"""One layer called in different styles: modules, functions, and what calls neither.

All styles come down to the same kernels, so their answers are equal bit for bit, and what is measured is the way
there. Gradients are part of the answer wherever grad mode is on; what is timed is the forward call alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from harness.contract import Arrays, Case, Inputs, Output, Profile, Suite, Tolerance, Work, grid
from suites.module_vs_functional.claims import CLAIMS
from suites.module_vs_functional.formulas import by_definition
from suites.module_vs_functional.probes import PROBES
from suites.module_vs_functional.reference import reference
from suites.module_vs_functional.settings import CHANNELS, LAYERS, Layer, Settings, Variant

__all__ = ["LAYERS", "SUITE", "Settings"]

TOLERANCE = Tolerance({"float32": 1e-5, "float64": 1e-12})
OF_IMAGES = ("conv2d", "batch_norm2d")


def make_inputs(
    rng: np.random.Generator,
    layer: Layer,
    width: int,
    batch: int,
    depth: int = 1,
    grad: bool = False,
    training: bool = False,
    bias: bool = True,
    hooks: int = 0,
    variant: Variant = "plain",
    strided: bool = False,
) -> Inputs:
    """Normal inputs and parameters for one layer, or for ``depth`` equal Linear layers.

    ``linear``: x (batch, width), weights (width, width) of variance 1 / width. ``relu``, ``dropout``, ``layer_norm``:
    x (batch, width). ``conv2d`` (3 x 3, padding 1) and ``batch_norm2d``: x (batch, 16, width, width). ``embedding``:
    ``batch`` indices into a table of ``width`` rows of 16.

    :raises ValueError: the layer has no such form.
    """
    if depth > 1 and layer != "linear":
        raise ValueError(f"a chain of depth {depth} is made of linear layers, not of {layer}")
    if variant == "parametrized" and layer != "linear":
        raise ValueError(f"the parametrized weight is that of linear, not of {layer}")
    if (layer == "embedding" and strided) or (layer == "batch_norm2d" and not bias):
        raise ValueError(f"{layer} has no form with strided={strided}, bias={bias}")
    settings = Settings(layer, depth, training, grad, hooks, variant, strided, seed=int(rng.integers(2**31)))
    shape = (batch, CHANNELS, width, width) if layer in OF_IMAGES else (batch, width)
    x = rng.integers(0, width, size=batch) if layer == "embedding" else rng.normal(size=shape)
    weight, features, running = np.zeros(0), 0, np.zeros(0)
    if layer == "linear":
        weight, features = rng.normal(size=(depth, width, width)) / np.sqrt(width), width
    elif layer == "conv2d":
        weight = rng.normal(size=(1, CHANNELS, CHANNELS, 3, 3)) / np.sqrt(9 * CHANNELS)
        features = CHANNELS
    elif layer == "layer_norm":
        weight, features = 1 + 0.5 * rng.normal(size=(1, width)), width
    elif layer == "batch_norm2d":
        weight, features = 1 + 0.5 * rng.normal(size=(1, CHANNELS)), CHANNELS
        running = np.stack([rng.normal(size=CHANNELS), rng.uniform(0.5, 2.0, size=CHANNELS)])
    elif layer == "embedding":
        weight = rng.normal(size=(1, width, CHANNELS))
    biases = rng.normal(size=(depth, features)) if bias and features else np.zeros(0)
    cotangent = rng.normal(size=(batch, CHANNELS) if layer == "embedding" else shape)
    return {"x": x, "weight": weight, "bias": biases, "running": running, "cotangent": cotangent, "settings": settings}


def measure_errors(outputs: Arrays, expected: Arrays, inputs: Inputs, kind: str) -> Mapping[str, float]:
    """Eager styles: the error against the definition in float64, infinite where a single bit is not aten's.

    ``reordered`` (compiled forms, other libraries): the error against aten, since their sums run in another order.
    Errors are largest differences relative to the largest value; a chain's is per layer, as each rounds anew. Under
    autocast the bits alone decide.
    """
    if kind == "reordered":
        return {name: _relative(array, expected[name]) for name, array in outputs.items()}
    settings: Settings = inputs["settings"]
    answer: Mapping[str, np.ndarray] = {}
    if settings.variant != "autocast":
        answer = by_definition(**inputs, output=outputs["output"])
    return {
        name: np.inf
        if array.tobytes() != expected[name].astype(array.dtype).tobytes()
        else _relative(array, answer[name]) / settings.depth
        if array.size and name in answer
        else 0.0
        for name, array in outputs.items()
    }


def _relative(output: np.ndarray, expected: np.ndarray) -> float:
    difference = np.max(np.abs(output.astype(np.float64) - expected), initial=0.0)
    scale = np.max(np.abs(expected), initial=0.0)
    found = float(difference / scale if scale > 0 else difference)
    return found if np.isfinite(found) else np.inf


def work(itemsize: int, layer: Layer, width: int, batch: int, depth: int = 1, **others: Any) -> Mapping[str, Work]:
    """The forward call: two operations per weight and row, and each array once. Gradients are not timed."""
    values = batch * CHANNELS * width**2 if layer in OF_IMAGES else batch * width
    weights, flops = 0.0, float(values)
    if layer == "linear":
        weights, flops = depth * float(width**2), 2.0 * depth * batch * width**2
    elif layer == "conv2d":
        weights, flops = 9.0 * CHANNELS**2, 2.0 * 9 * CHANNELS * values
    elif layer in ("layer_norm", "batch_norm2d"):
        weights, flops = 2.0 * (width if layer == "layer_norm" else CHANNELS), 2.0 * values
    elif layer == "embedding":
        values, weights, flops = 0, float(batch * CHANNELS), 0.0
        return {"call": Work(flops, itemsize * weights + 8.0 * batch, itemsize * weights)}
    return {"call": Work(flops, itemsize * (values + weights), float(itemsize * values))}


def _linear(width: list[int], batch: int, profile: Profile = "full", **changes: Any) -> tuple[Case, ...]:
    axes: dict[str, list[Any]] = {"layer": ["linear"], "width": width, "batch": [batch], "depth": [1], "grad": [False]}
    return grid(profile, **{**axes, **changes})


def _edge(**changes: Any) -> tuple[Case, ...]:
    """Small cases, with gradients unless said otherwise."""
    axes: dict[str, list[Any]] = {"layer": ["linear"], "width": [5], "batch": [3], "depth": [1], "grad": [True]}
    return grid(**{**axes, **changes})


SUITE = Suite(
    name="module_vs_functional",
    title="One layer called as a module, as a function and in other styles",
    cases=(
        _linear([8], 1, "quick")
        + _linear([64], 8, "quick")
        + _linear([256], 32, "quick")
        + _linear([8, 16, 32, 128, 256, 512, 1024, 2048], 8)
        + _linear([8], 1, grad=[True])
        + _linear([64], 8, grad=[True])
        + _linear([256], 32, grad=[True])
        + _linear([64], 8, depth=[4, 16, 32, 64, 256])
        + _linear([64], 8, hooks=[1, 2])
        + _linear([64], 8, layer=["relu", "layer_norm", "dropout", "embedding"])
        + _linear([8], 1, layer=["conv2d", "batch_norm2d"])
    ),
    make_inputs=make_inputs,
    reference=reference,
    phases={
        "call": (
            Output("output", TOLERANCE),
            Output("grad_input", TOLERANCE),
            Output("grad_weight", TOLERANCE),
            Output("grad_bias", TOLERANCE),
        )
    },
    baseline="functional",
    naive="functional",
    axis="width",
    work=work,
    measure_errors=measure_errors,
    bitwise=True,
    edge_cases=(
        _edge(layer=list(LAYERS))
        + _edge(layer=["batch_norm2d", "dropout"], training=[True])
        + _edge(layer=["linear", "conv2d", "layer_norm"], bias=[False])
        + _edge(layer=["linear", "conv2d", "relu"], strided=[True])
        + _edge(layer=["linear", "relu", "embedding"], batch=[0])
        + _edge(depth=[3])
        + _edge(hooks=[2])
        + _edge(variant=["parametrized", "own_call", "autocast"])
    ),
    cast=None,
    claims=CLAIMS,
    probes=PROBES,
)
