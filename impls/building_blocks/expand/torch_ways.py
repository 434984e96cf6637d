"""One call of a way to broadcast with torch: make the tensor, then read it, write into it or differentiate it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch

from harness.contract import Raised

Make = Callable[[torch.Tensor, tuple[int, ...]], torch.Tensor]
OVERLAP_ERROR = "refers to a single memory location"


def run(
    make: Make, x: torch.Tensor, other: torch.Tensor, shape: tuple[int, ...], step: int, operation: str
) -> Iterator[torch.Tensor | Raised | None]:
    """The phases of the suite.

    :param make: ``(x, shape)`` to the tensor of that shape; a RuntimeError says that x does not go into it.
    """
    leaf = x
    if operation == "backward":
        if not x.dtype.is_floating_point:
            yield None
            yield Raised("no gradient")
            return
        leaf = x.detach().requires_grad_()
    try:
        made = make(leaf[..., ::step] if step > 1 else leaf, shape)
    except RuntimeError:
        yield None
        yield Raised("shape")
        return
    yield None
    if operation == "weigh":
        yield weigh(made, other)
    elif operation == "read":
        yield made
    elif operation == "backward":
        made.backward(other)
        yield leaf.grad
    else:
        yield _written(made, x, other)


def weigh(made: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    return (made * other).sum(-1, dtype=made.dtype)


def repeats(before: tuple[int, ...], shape: tuple[int, ...]) -> tuple[int, ...]:
    """How often each dimension of ``shape`` repeats what there was; -1 keeps a size.

    :raises RuntimeError: ``before`` does not expand to ``shape``.
    """
    new = len(shape) - len(before)
    olds = (*[1] * new, *before)
    fits = new >= 0 and all(
        size == old or (size == -1 and dim >= new) or (old == 1 and size >= 0)
        for dim, (size, old) in enumerate(zip(shape, olds, strict=False))
    )
    if not fits:
        raise RuntimeError(f"{before} does not expand to {shape}")
    return tuple(size if old == 1 and size != -1 else 1 for size, old in zip(shape, olds, strict=True))


def _written(made: torch.Tensor, x: torch.Tensor, other: torch.Tensor) -> torch.Tensor | Raised:
    """The tensor after the write and x behind it, or the error about overlapping memory."""
    try:
        made.add_(other)
    except RuntimeError as error:
        if OVERLAP_ERROR in str(error):
            return Raised("overlap")
        raise
    return torch.cat([made.reshape(-1), x.reshape(-1)])
