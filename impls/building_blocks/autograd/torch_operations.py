"""The operations on torch's tensors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

import torch
from torch.utils.checkpoint import checkpoint


class TorchOperations:
    exp: Any = staticmethod(torch.exp)
    log: Any = staticmethod(torch.log)
    sin: Any = staticmethod(torch.sin)
    cos: Any = staticmethod(torch.cos)
    tanh: Any = staticmethod(torch.tanh)
    absolute: Any = staticmethod(torch.abs)
    where: Any = staticmethod(torch.where)

    def positive(self, x: Any) -> Any:
        return x > 0

    def largest(self, x: Any) -> Any:
        # max() shares the gradient among equal values; argmax gives the first of them.
        return x[torch.argmax(x)]

    def total(self, x: Any, axis: int | None = None) -> Any:
        return x.sum() if axis is None else x.sum(dim=axis)

    def split(self, x: Any, shapes: Sequence[tuple[int, ...]]) -> list[Any]:
        pieces = x.split([prod(shape) for shape in shapes])
        return [piece.view(shape) for piece, shape in zip(pieces, shapes, strict=True)]

    def number(self, x: Any) -> float:
        return float(x.detach())

    def checkpoint(self, function: Callable[..., Any], *values: Any) -> Any:
        return function(*values)


class TorchCheckpointing(TorchOperations):
    """:param early_stop: whether a segment is left as soon as all it saved the first time has been computed again."""

    def __init__(self, *, early_stop: bool = True) -> None:
        self._early_stop = early_stop

    def checkpoint(self, function: Callable[..., Any], *values: Any) -> Any:
        # Nothing here is random, so there is no state of generators to be kept.
        return checkpoint(function, *values, use_reentrant=False, preserve_rng_state=False, early_stop=self._early_stop)


TORCH = TorchOperations()
TORCH_CHECKPOINTING = TorchCheckpointing()


def gradient(
    operations: TorchOperations, program: Callable[..., Any], x: torch.Tensor, problem: Any, cotangent: torch.Tensor
) -> torch.Tensor:
    """The gradient (n,) of cotangent . f at x, by `torch.autograd.grad`."""
    start = x.detach().requires_grad_()
    output = program(operations, start, problem)
    (found,) = torch.autograd.grad(
        output, start, cotangent.reshape(output.shape), allow_unused=True, materialize_grads=True
    )
    return found
