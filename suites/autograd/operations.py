"""The operations that programs are written in; every implementation brings its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol


class Operations(Protocol):
    """What a program may do with its variable and with what it has made of it, besides operators and indexing.

    Values also have ``+ - * / @``, ``**`` with a constant exponent, unary minus, ``shape`` and indexing, with numbers
    and constant arrays on either side of an operator; shapes broadcast.
    """

    def exp(self, x: Any) -> Any: ...
    def log(self, x: Any) -> Any: ...
    def sin(self, x: Any) -> Any: ...
    def cos(self, x: Any) -> Any: ...
    def tanh(self, x: Any) -> Any: ...

    def absolute(self, x: Any) -> Any:
        """Its derivative at 0 is 0."""

    def positive(self, x: Any) -> Any:
        """A constant mask: where x > 0."""

    def where(self, mask: Any, chosen: Any, other: Any) -> Any:
        """``chosen`` where the constant mask is true. ``where(positive(x), x, 0.0)`` has the derivative 0 at 0."""

    def largest(self, x: Any) -> Any:
        """The largest number of a vector; its derivative goes to the first of several equal ones."""

    def total(self, x: Any, axis: int | None = None) -> Any:
        """The sum over ``axis``, or of everything."""

    def split(self, x: Any, shapes: Sequence[tuple[int, ...]]) -> Sequence[Any]:
        """Consecutive pieces of a vector, in these shapes."""

    def number(self, x: Any) -> float:
        """The value of a scalar, to choose by what the program does next; nothing is differentiated through it."""

    def checkpoint(self, function: Callable[..., Any], *values: Any) -> Any:
        """``function(*values)``, of which nothing but ``values`` needs to be kept for the gradient."""
