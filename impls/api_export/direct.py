"""The undecorated function, called with all arguments: the floor; objects found by position, modules without names."""

from typing import Any

from harness.contract import Inline, implements
from impls.building_blocks.api_export.calling import called
from impls.building_blocks.api_export.importing import imported
from impls.building_blocks.api_export.looking_up import looked_up
from suites.api_export.settings import Settings
from suites.api_export.suite import SUITE


@implements(SUITE, arrays="python", dtypes=("float64",), inline=True)
def call(values: Any, wanted: list[int], settings: Settings) -> Inline:
    if settings.task == "import":
        return imported(settings, values, wanted, exported=False)
    if settings.task == "look_up":
        positions = range(settings.symbols)
        return looked_up(settings, positions, wanted, "objects[name]", objects=values)
    return called(settings, values)
