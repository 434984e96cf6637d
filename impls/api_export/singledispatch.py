"""functools.singledispatch: the implementation is chosen at every call by the type of the first argument."""

from typing import Any

from harness.contract import Inline, implements
from impls.building_blocks.api_export.calling import called
from suites.api_export.settings import Settings
from suites.api_export.suite import SUITE

SETUP = """
from functools import singledispatch

@singledispatch
def g(*args):
    raise TypeError(type(args[0]).__name__)

g.register(list, f)
"""


@implements(
    SUITE,
    arrays="python",
    dtypes=("float64",),
    inline=True,
    limits={"task": ("call",), "how": ("none",), "depth": (1,), "arity": (1, 2, 3, 4, 5, 6)},
)
def call(values: Any, wanted: list[int], settings: Settings) -> Inline:
    return called(settings, values, "g", SETUP)
