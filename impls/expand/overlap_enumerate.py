"""All addresses written down, element by element, until one comes again."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

from harness.contract import implements
from suites.expand.suite import SUITE


@implements(SUITE, arrays="python", dtypes=("float32", "float64"), limits={"operation": ("overlap",)}, kind="exact")
def check(x: Any, other: Any, shape: tuple[int, ...], step: int, layouts: Any, operation: str) -> Iterator[Any]:
    yield
    yield [float(_meets_an_address_again(sizes, strides)) for sizes, strides in layouts]


def _meets_an_address_again(sizes: list[int], strides: list[int]) -> bool:
    seen = set()
    for indices in itertools.product(*map(range, sizes)):
        address = sum(index * stride for index, stride in zip(indices, strides, strict=True))
        if address in seen:
            return True
        seen.add(address)
    return False
