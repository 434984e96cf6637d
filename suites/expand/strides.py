"""Writes into views that overlap without a stride of 0, called directly and compiled."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from suites.expand.behaviour import OVERLAP_ERROR, Behaviour, Write, equal, observe, write_to_clone
from suites.expand.layouts import overlaps

Make = Callable[[Any], Any]


@dataclass(frozen=True)
class View:
    """:param length: of the base, a vector.
    :param make: the base to a view of it.
    """

    length: int
    make: Make


def views() -> Mapping[str, View]:
    """Views whose elements overlap, although none of their strides is 0.

    :raises ValueError: one of them does not.
    """

    def strided(sizes: tuple[int, ...], strides: tuple[int, ...]) -> Make:
        return lambda base: base.as_strided(sizes, strides, base.storage_offset())

    found = {
        "windows": View(8, lambda base: base.unfold(0, 3, 1)),
        "windows of an image": View(36, lambda base: base.view(6, 6).unfold(0, 3, 1).unfold(1, 3, 1)),
        "equal strides": View(8, strided((3, 3), (1, 1))),
        "colliding sums": View(16, strided((2, 3, 2), (3, 2, 1))),
        "crossing diagonals": View(36, strided((4, 4), (6, 4))),
        "parts of complex windows": View(16, lambda base: _complex(base).unfold(0, 3, 1).real),
    }
    for name, view in found.items():
        made = view.make(_base(view))
        if 0 in made.stride() or not overlaps(np.array(made.shape), np.array(made.stride())):
            raise ValueError(f"{name}: {tuple(made.shape)} with strides {made.stride()} do not overlap as they should")
    return found


def writes() -> Mapping[str, Write]:
    return {"add_": lambda view: view.add_(1), "mul_": lambda view: view.mul_(2), "abs_": lambda view: view.abs_()}


def write_eagerly() -> dict[str, Behaviour]:
    """What each write does to each view."""
    return {
        f"{name}, {title}": observe(write, _base(view), view.make, _expected(view, write))
        for name, view in views().items()
        for title, write in writes().items()
    }


def write_compiled() -> dict[str, Behaviour]:
    """The same from torch.compile, in one graph; each by itself only if that graph raises.

    :raises Exception: whatever torch.compile raises beside the error about overlapping memory, such as that there is no
        compiler here.
    """
    import torch

    pairs = {f"{name}, {title}": (view, write) for name, view in views().items() for title, write in writes().items()}
    bases = [_base(view) for view, _ in pairs.values()]
    targets = [view.make(base) for base, (view, _) in zip(bases, pairs.values(), strict=True)]

    def write_all(targets: list[Any]) -> None:
        for target, (_, write) in zip(targets, pairs.values(), strict=True):
            write(target)

    try:
        torch.compile(write_all)(targets)
    except Exception as error:
        if OVERLAP_ERROR not in str(error):
            raise
        return {
            name: observe(torch.compile(write), _base(view), view.make, _expected(view, write))
            for name, (view, write) in pairs.items()
        }
    found = {}
    for (name, (view, write)), base, target in zip(pairs.items(), bases, targets, strict=True):
        same, untouched = equal(target, _expected(view, write)), equal(base, _base(view))
        found[name] = Behaviour("differ" if not same else "match" if untouched else "differ-base")
    return found


def _base(view: View) -> Any:
    """Negative, positive and no two alike."""
    import torch

    return torch.arange(float(view.length)) - 3.25


def _expected(view: View, write: Write) -> Any:
    return write_to_clone(write, _base(view), view.make)


def _complex(base: Any) -> Any:
    import torch

    return torch.view_as_complex(base.view(-1, 2))
