"""catalogue (Explosion): a registry of functions by namespace and name, asked at every call."""

from typing import Any

import catalogue

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
    limits={"task": ("call", "look_up"), "how": ("none",), "depth": (1,), "python": ("this",), "symbols": 10_000},
)
def call(values: Any, wanted: list[int], settings: Settings) -> Inline:
    catalogue.REGISTRY.clear()  # the package has one table for all of a process
    registry = catalogue.create("bakeoff", "symbols")
    if settings.task == "look_up":
        names = symbol_names(settings.symbols)
        for name, value in zip(names, values, strict=True):
            registry.register(name, func=value)
        return looked_up(settings, names, wanted, "registry.get(name)", registry=registry)
    return called(settings, values, "registry.get('f')", "registry.register('f', func=f)\n", registry=registry)
