"""A closure of fixed arity around the function and the arguments that it fixes."""

from typing import Any

from harness.contract import Inline, implements
from impls.building_blocks.api_export.calling import fixed
from suites.api_export.settings import Settings
from suites.api_export.suite import SUITE

TEMPLATE = """
def fix(f, {fixed}):
    def g({given}):
        return f({call})
    return g
"""


@implements(
    SUITE,
    arrays="python",
    dtypes=("float64",),
    inline=True,
    limits={"task": ("call",), "how": ("positional", "keyword")},
)
def call(values: Any, wanted: list[int], settings: Settings) -> Inline:
    return fixed(settings, values, TEMPLATE)
