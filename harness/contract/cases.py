"""Cases: the parameter sets for which a suite is run."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from harness.printable import LONGEST_NAME, is_printable

Scalar = bool | int | float | str
Profile = Literal["quick", "full"]
PROFILES: tuple[Profile, ...] = ("quick", "full")


@dataclass(frozen=True)
class Case(Mapping[str, Scalar]):
    """One parameter set of a suite, an immutable mapping of parameter name to value.

    ``profile`` is the smallest profile that includes the case: a quick case is part of the full profile too.
    Two cases are equal when their parameters are, whatever their profile or the order of the parameters.
    """

    parameters: tuple[tuple[str, Scalar], ...]
    profile: Profile = "quick"

    @classmethod
    def of(cls, parameters: Mapping[str, Scalar], profile: Profile = "quick") -> Case:
        return cls(tuple(parameters.items()), profile)

    def __getitem__(self, name: str) -> Scalar:
        for key, value in self.parameters:
            if key == name:
                return value
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return (key for key, _ in self.parameters)

    def __len__(self) -> int:
        return len(self.parameters)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Case) and dict(self.parameters) == dict(other.parameters)

    def __hash__(self) -> int:
        return hash(frozenset(self.parameters))

    @property
    def label(self) -> str:
        """The case in one line, for tables and file names of figures: ``seq_len=256 causal=False``."""
        return " ".join(f"{key}={value}" for key, value in self.parameters)


def grid(profile: Profile = "quick", /, **axes: Sequence[Scalar]) -> tuple[Case, ...]:
    """Every combination of the values of the axes, in the order given, as cases of ``profile``.

    Grids are added with ``+``: ``grid(n=[100, 1000]) + grid("full", n=[10_000])``.
    """
    for name, values in axes.items():
        if isinstance(values, str) or not isinstance(values, Sequence) or not values:
            raise TypeError(f"grid axis {name!r} needs a non-empty list of values, not {values!r}")
        for value in values:
            if isinstance(value, str) and not is_printable(value, LONGEST_NAME):
                raise ValueError(
                    f"grid axis {name!r} has the value {value[:60]!r}, which tables cannot show; give it a name instead"
                )
    combinations = itertools.product(*axes.values())
    return tuple(Case(tuple(zip(axes, values, strict=True)), profile) for values in combinations)
