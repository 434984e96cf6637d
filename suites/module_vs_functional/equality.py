"""Do modules and functions compute the same: with matching arguments, and with the arguments they have by default?"""

from __future__ import annotations

import inspect
import itertools
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from harness.contract import Implementation
from suites.module_vs_functional.reference import reference
from suites.module_vs_functional.settings import CHANNELS, LAYERS

SHAPES = 100
LARGEST_WIDTH, LARGEST_IMAGE = 40, 7
LARGEST_BATCH = 6
RANDOM_IN_TRAINING = ("dropout", "batch_norm2d")
WITH_TRAINING = ("dropout1d", "dropout2d", "dropout3d", "alpha_dropout", "feature_alpha_dropout", "rrelu")
"""Pairs beside the suite's layers whose functions take ``training``; a test finds them by their signatures."""
SEED = 5


def bits_that_differ(
    rng: np.random.Generator, implementation: Implementation, shapes: int = SHAPES
) -> dict[str, list[float]]:
    """How many calls of a style differ by a bit from ``torch.ops.aten`` with the same arguments, gradients included.

    Every layer is called on ``shapes`` random shapes, in float32 and float64, with and without a bias, on contiguous
    and other inputs; dropout and batch normalisation in training mode as well.

    :returns: ``differing`` and ``compared``, and the differing ones by layer.
    """
    from suites.module_vs_functional.suite import OF_IMAGES, make_inputs

    counts: dict[str, float] = {"differing": 0.0, "compared": 0.0}
    for layer in LAYERS:
        for training in (False, True) if layer in RANDOM_IN_TRAINING else (False,):
            name = f"{layer}_training" if training else layer
            counts[name] = 0.0
            for _ in range(shapes):
                inputs = make_inputs(
                    rng,
                    layer,
                    width=int(rng.integers(1, LARGEST_IMAGE if layer in OF_IMAGES else LARGEST_WIDTH)),
                    batch=int(rng.integers(2, LARGEST_BATCH)),
                    grad=True,
                    training=training,
                    bias=bool(layer == "batch_norm2d" or rng.integers(2)),
                    strided=bool(layer != "embedding" and rng.integers(2)),
                )
                dtype = ("float32", "float64")[int(rng.integers(2))]
                counts[name] += _differs(implementation, inputs, dtype)
            counts["differing"] += counts[name]
            counts["compared"] += shapes
    return {name: [count] for name, count in counts.items()}


def _differs(implementation: Implementation, inputs: dict[str, Any], dtype: str) -> bool:
    import torch

    arrays: dict[str, Any] = {
        name: value.astype(dtype) if isinstance(value, np.ndarray) and value.dtype.kind == "f" else value
        for name, value in inputs.items()
    }
    handed = {name: torch.tensor(value) if isinstance(value, np.ndarray) else value for name, value in arrays.items()}
    prepared = implementation.function(**handed)
    outputs = prepared.outputs(prepared.value())
    expected = reference(**arrays)
    return any(
        output.numpy().tobytes() != wanted.tobytes() for output, wanted in zip(outputs, expected.values(), strict=True)
    )


def defaults_that_differ(rng: np.random.Generator, implementation: None) -> dict[str, list[float]]:
    """Modules in eval mode against functions that are given the same tensors and otherwise left at their defaults.

    The suite's layers, and every other module that can be made without arguments and has a function of the same name
    that takes one tensor or two alone.

    :returns: by pair 1.0 where a bit differs; ``others`` for how many of the pairs that are not named do, ``compared``
        for how many pairs there are in all.
    """
    found = {name: float(differ()) for name, differ in _pairs_of_the_suite(rng)}
    others = 0.0
    count = len(found)
    for name, function, module in pairs_by_name():
        if name in found:
            continue
        differ = _differ_by_default(function, module)
        if differ is None:
            continue
        count += 1
        if name in WITH_TRAINING:
            found[name] = float(differ)
        else:
            others += differ
    return {name: [value] for name, value in (found | {"others": others, "compared": float(count)}).items()}


def pairs_by_name() -> Iterator[tuple[str, Callable[..., Any], Any]]:
    """Functions by name, each with the module of the same name in eval mode, where that needs no arguments."""
    import torch.nn.functional as F
    from torch import nn

    functions = {
        name.replace("_", ""): (name, function)
        for name, function in vars(F).items()
        if inspect.isroutine(function) and not name.startswith("_") and not name.endswith("_")  # those write in place
    }
    for name, kind in sorted(vars(nn).items()):
        if not (inspect.isclass(kind) and issubclass(kind, nn.Module) and name.lower() in functions):
            continue
        try:
            module = kind()
        except TypeError:
            continue
        yield *functions[name.lower()], module.eval()


def _pairs_of_the_suite(rng: np.random.Generator) -> Iterator[tuple[str, Callable[[], bool]]]:
    """The suite's layers; a function that only differs is none that fails, so errors are raised."""
    import torch
    import torch.nn.functional as F
    from torch import nn

    def drawn(*shape: int) -> Any:
        return torch.tensor(rng.normal(size=shape), dtype=torch.float32)

    rows, images = drawn(4, 9), drawn(2, CHANNELS, 5, 5)
    linear, conv2d, layer_norm = nn.Linear(9, 7).eval(), nn.Conv2d(CHANNELS, 3, 3).eval(), nn.LayerNorm(9).eval()
    batch_norm, embedding = nn.BatchNorm2d(CHANNELS), nn.Embedding(11, 3).eval()
    batch_norm(images)  # so that its running statistics are some
    batch_norm.eval()
    indices = torch.tensor(rng.integers(0, 11, size=6))
    norm = (batch_norm.running_mean, batch_norm.running_var, batch_norm.weight, batch_norm.bias)
    calls: dict[str, tuple[Callable[[], Any], Callable[[], Any]]] = {
        "linear": (lambda: linear(rows), lambda: F.linear(rows, linear.weight, linear.bias)),
        "conv2d": (lambda: conv2d(images), lambda: F.conv2d(images, conv2d.weight, conv2d.bias)),
        "relu": (lambda: nn.ReLU().eval()(rows), lambda: F.relu(rows)),
        "layer_norm": (
            lambda: layer_norm(rows),
            lambda: F.layer_norm(rows, layer_norm.normalized_shape, layer_norm.weight, layer_norm.bias),
        ),
        "batch_norm": (lambda: batch_norm(images), lambda: F.batch_norm(images, *norm)),
        "dropout": (lambda: nn.Dropout().eval()(rows), lambda: F.dropout(rows)),
        "embedding": (lambda: embedding(indices), lambda: F.embedding(indices, embedding.weight)),
    }
    for name, (of_module, of_function) in calls.items():
        yield name, lambda one=of_module, other=of_function: _unequal(one, other)  # type: ignore[misc]


def _differ_by_default(function: Callable[..., Any], module: Any) -> bool | None:
    """Whether a bit differs on the first input, or pair of inputs, that both take; ``None`` where there is none."""
    import torch

    for tensors, dimensions in itertools.product((1, 2), range(2, 6)):
        generator = torch.Generator().manual_seed(SEED)
        given = [torch.randn((2, 4, 6, 8, 10)[:dimensions], generator=generator) for _ in range(tensors)]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # some functions ask for what they choose by themselves
            try:
                return _unequal(partial(module, *given), partial(function, *given))
            except (TypeError, RuntimeError, ValueError):
                continue
    return None


def _unequal(one: Callable[[], Any], other: Callable[[], Any]) -> bool:
    """Both begin with the same state of the generator."""
    import torch

    outputs = []
    for call in (one, other):
        torch.default_generator.manual_seed(SEED)
        with torch.no_grad():
            outputs.append(call())
    return not torch.equal(*outputs)
