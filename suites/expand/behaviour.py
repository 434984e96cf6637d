"""What a write into a view does, beside what it does to a clone of that view: an answer or a class of error."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

Answer = Literal["raise", "raise another", "match", "differ-base", "differ"]
ANSWERS: tuple[Answer, ...] = ("raise", "raise another", "match", "differ-base", "differ")
"""From harmless to harmful.

``raise``: the error about a single memory location; ``raise another``: any other. ``match``: the view holds what the
clone would and its base is untouched; ``differ-base``: the view does, but the base, which the clone would have left
alone, has changed; ``differ``: the view holds something else, or memory around the base does, and nobody was told.
"""
GUARD = 4096
"""Elements of a foreign tensor on either side of the base: some kernels write as if a view were as long as it looks."""
OVERLAP_ERROR = "refers to a single memory location"
RELATIVE, ABSOLUTE = 1e-5, 1e-6
"""Kernels for other strides add in another order."""

Write = Callable[[Any], Any]
Make = Callable[[Any], Any]


@dataclass(frozen=True)
class Behaviour:
    """:param warned: the first warning, empty if there was none.
    :param message: of the error.
    :param wrote: the base had changed when the error was raised.
    :param outside: memory that is not the base's was written.
    """

    answer: Answer
    warned: str = ""
    message: str = ""
    wrote: bool = False
    outside: bool = False

    @property
    def title(self) -> str:
        told = "warn+" if self.warned and not self.answer.startswith("raise") else ""
        return f"{told}{self.answer}"


def observe(write: Write, base: Any, make: Make, expected: Any) -> Behaviour:
    """Make a view of a copy of ``base`` and write into it.

    :param expected: what the same write makes of a clone of the view.
    """
    import torch

    around = torch.ones(2 * GUARD + base.numel(), dtype=base.dtype)
    owner = around[GUARD : GUARD + base.numel()].view(base.shape).copy_(base)
    before = around.clone()
    target = make(owner)
    with listening() as heard:
        torch.default_generator.manual_seed(0)
        try:
            write(target)
        except Exception as error:  # whatever it is, it is the answer
            answer: Answer = "raise" if OVERLAP_ERROR in str(error) else "raise another"
            return Behaviour(answer, _first(heard), str(error).split("\n")[0], not equal(owner, base))
    before[GUARD : GUARD + base.numel()] = around[GUARD : GUARD + base.numel()]
    outside = not equal(around, before)
    if outside or not equal(target, expected):
        return Behaviour("differ", _first(heard), outside=outside)
    return Behaviour("match" if equal(owner, base) else "differ-base", _first(heard))


def write_to_clone(write: Write, base: Any, make: Make) -> Any:
    """What ``write`` makes of a clone of the view.

    :raises Exception: whatever the write raises.
    """
    import torch

    target = make(base.clone()).clone()
    torch.default_generator.manual_seed(0)
    write(target)
    return target


@contextmanager
def listening() -> Iterator[list[warnings.WarningMessage]]:
    """Every warning is heard, also one that torch gives once in a process, and none becomes an error."""
    import torch

    always = torch.is_warn_always_enabled()
    torch.set_warn_always(True)
    try:
        with warnings.catch_warnings(record=True) as heard:
            warnings.simplefilter("always")
            yield heard
    finally:
        torch.set_warn_always(always)


@contextmanager
def mode(deterministic: bool) -> Iterator[None]:
    """torch's deterministic mode, or its default."""
    import torch

    before = torch.are_deterministic_algorithms_enabled()
    torch.use_deterministic_algorithms(deterministic)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before)


def equal(found: Any, expected: Any) -> bool:
    """Equal up to rounding where values are floating, NaN included; exactly elsewhere."""
    import torch

    if found.dtype != expected.dtype or found.shape != expected.shape:
        return False
    if not (found.dtype.is_floating_point or found.dtype.is_complex):
        return bool(torch.equal(found, expected))
    return bool(torch.allclose(found, expected, rtol=RELATIVE, atol=ABSOLUTE, equal_nan=True))


def _first(heard: list[warnings.WarningMessage]) -> str:
    return str(heard[0].message).split("\n")[0] if heard else ""
