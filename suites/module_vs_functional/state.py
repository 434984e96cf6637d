"""What modules carry and functions do not: modes, state and a dtype of their own."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

CARRIED = ("train", "eval", "state_dict", "load_state_dict", "parameters", "to")


def state(rng: np.random.Generator, implementation: None) -> dict[str, list[float]]:
    """Behaviour that fails, by kind.

    :returns: ``modes``: modules whose output in training and eval mode is the same though it should not be, or the
        other way round; ``round_trip``: whose outputs are not equal bit for bit once the state of another is loaded;
        ``dtype``: of whose parameters and floating buffers ``to(float64)`` leaves one behind; ``modules_without``:
        classes of ``torch.nn`` that lack one of :data:`CARRIED`; ``functions_with``: functions of
        ``torch.nn.functional`` that have one. ``modules`` and ``functions`` say how many there are.
    """
    import torch.nn.functional as F
    from torch import nn

    classes = [kind for kind in vars(nn).values() if inspect.isclass(kind) and issubclass(kind, nn.Module)]
    functions = [value for name, value in vars(F).items() if inspect.isroutine(value) and not name.startswith("_")]
    made = _layers(rng)
    found = {
        "modes": sum(not _obeys_its_mode(name, *layer) for name, layer in made.items()),
        "round_trip": sum(not _takes_over_state(*layer) for layer in made.values()),
        "dtype": sum(not _moves(make) for make, _ in made.values()),
        "modules_without": sum(not all(hasattr(kind, each) for each in CARRIED) for kind in classes),
        "functions_with": sum(any(hasattr(function, each) for each in CARRIED) for function in functions),
        "modules": len(classes),
        "functions": len(functions),
    }
    return {name: [float(count)] for name, count in found.items()}


def _layers(rng: np.random.Generator) -> dict[str, tuple[Callable[[], Any], Any]]:
    """How each of the suite's layers is made, and an input."""
    import torch
    from torch import nn

    rows = torch.tensor(rng.normal(size=(4, 8)), dtype=torch.float32)
    images = torch.tensor(rng.normal(size=(3, 4, 5, 5)), dtype=torch.float32)
    return {
        "linear": (lambda: nn.Linear(8, 3), rows),
        "conv2d": (lambda: nn.Conv2d(4, 2, 3), images),
        "relu": (nn.ReLU, rows),
        "layer_norm": (lambda: nn.LayerNorm(8), rows),
        "batch_norm2d": (lambda: nn.BatchNorm2d(4), images),
        "dropout": (nn.Dropout, rows),
        "embedding": (lambda: nn.Embedding(9, 3), torch.tensor(rng.integers(0, 9, size=5))),
    }


def _obeys_its_mode(name: str, make: Callable[[], Any], x: Any) -> bool:
    """Dropout and batch normalisation compute something else in training than in eval mode; nothing else does."""
    import torch

    layer = make()
    trained, evaluated = layer.train()(x), layer.eval()(x)
    differs = not torch.equal(trained, evaluated)
    again = torch.equal(evaluated, layer(x))
    return again and differs == (name in ("dropout", "batch_norm2d"))


def _takes_over_state(make: Callable[[], Any], x: Any) -> bool:
    """A module with values of its own gives the other's outputs once the other's state is loaded."""
    import torch

    one, other = make(), make()
    with torch.no_grad():
        for each in (one, other):
            for value in (*each.parameters(), *(buffer for buffer in each.buffers() if buffer.is_floating_point())):
                value.uniform_(0.5, 2.0)
    one.eval(), other.eval()
    had_effect = not list(one.state_dict()) or not torch.equal(one(x), other(x))
    other.load_state_dict(one.state_dict())
    return had_effect and torch.equal(one(x), other(x))


def _moves(make: Callable[[], Any]) -> bool:
    import torch

    layer = make().to(torch.float64)
    return all(
        value.dtype == torch.float64 for value in (*layer.parameters(), *layer.buffers()) if value.is_floating_point()
    )
