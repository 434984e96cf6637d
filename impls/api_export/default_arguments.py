"""Default arguments at the function's definition: nothing is wrapped, and the call leaves out what has a default."""

from typing import Any

from harness.contract import Inline, implements
from impls.building_blocks.api_export.calling import called_with_defaults
from suites.api_export.settings import Settings
from suites.api_export.suite import SUITE


@implements(
    SUITE,
    arrays="python",
    dtypes=("float64",),
    inline=True,
    limits={"task": ("call",), "how": ("keyword",), "depth": (1,)},
)
def call(values: Any, wanted: list[int], settings: Settings) -> Inline:
    return called_with_defaults(settings, values)
