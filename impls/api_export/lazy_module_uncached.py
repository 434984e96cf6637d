"""A module with ``__getattr__`` that keeps nothing: every access fails to find the name first, and then calls it."""

from typing import Any

from harness.contract import Inline, implements
from impls.building_blocks.api_export.calling import called
from suites.api_export.settings import Settings
from suites.api_export.suite import SUITE

SETUP = """
from types import ModuleType

module = ModuleType("module")
module.__getattr__ = {"f": f}.__getitem__
"""


@implements(
    SUITE,
    arrays="python",
    dtypes=("float64",),
    inline=True,
    limits={"task": ("call",), "how": ("none",), "depth": (1,)},
)
def call(values: Any, wanted: list[int], settings: Settings) -> Inline:
    return called(settings, values, "module.f", SETUP)
