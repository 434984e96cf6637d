"""importlib.metadata.entry_points: what installed distributions declare, read and loaded at every call."""

from typing import Any

from harness.contract import Inline, implements
from impls.building_blocks.api_export.calling import called
from impls.building_blocks.api_export.plugins import GROUP, SETUP, write_distribution
from suites.api_export.settings import Settings
from suites.api_export.suite import SUITE


@implements(
    SUITE,
    arrays="python",
    dtypes=("float64",),
    inline=True,
    limits={"task": ("call",), "how": ("none",), "depth": (1,)},
)
def call(values: Any, wanted: list[int], settings: Settings) -> Inline:
    callee = "next(iter(entry_points(group=group, name='f'))).load()"
    return called(settings, values, callee, SETUP, group=GROUP, folder=str(write_distribution()))
