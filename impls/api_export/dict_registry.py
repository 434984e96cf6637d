"""A dictionary from names to what they stand for, asked at every call."""

from typing import Any

from harness.contract import Inline, implements
from impls.building_blocks.api_export.calling import called
from impls.building_blocks.api_export.looking_up import looked_up, symbol_names
from suites.api_export.settings import Settings
from suites.api_export.suite import SUITE


@implements(
    SUITE,
    arrays="python",
    dtypes=("float64",),
    inline=True,
    limits={"task": ("call", "look_up"), "how": ("none",), "depth": (1,)},
)
def call(values: Any, wanted: list[int], settings: Settings) -> Inline:
    if settings.task == "look_up":
        names = symbol_names(settings.symbols)
        return looked_up(settings, names, wanted, "registry[name]", registry=dict(zip(names, values, strict=True)))
    return called(settings, values, "registry['module.f']", "registry = {'module.f': f}\n")
