"""A partial object: the arguments are kept by the object and put before, or merged with, those of the call."""

from functools import partial
from typing import Any

from harness.contract import Inline, implements
from impls.building_blocks.api_export.calling import fixed
from suites.api_export.settings import Settings
from suites.api_export.suite import SUITE

TEMPLATE = """
from functools import partial

def fix(f, {fixed}):
    return partial(f, {bound})
"""


@implements(
    SUITE,
    arrays="python",
    dtypes=("float64",),
    inline=True,
    limits={"task": ("call",), "how": ("positional", "keyword")},
    counters=partial,
)
def call(values: Any, wanted: list[int], settings: Settings) -> Inline:
    return fixed(settings, values, TEMPLATE)
