"""A lambda of fixed arity; its bytecode is the closure's, so what the two differ by is measuring alone."""

from typing import Any

from harness.contract import Inline, implements
from impls.building_blocks.api_export.calling import fixed
from suites.api_export.settings import Settings
from suites.api_export.suite import SUITE

TEMPLATE = """
def fix(f, {fixed}):
    return lambda {given}: f({call})
"""


@implements(
    SUITE,
    arrays="python",
    dtypes=("float64",),
    inline=True,
    limits={"task": ("call",), "how": ("positional", "keyword"), "arity": 2},
)
def call(values: Any, wanted: list[int], settings: Settings) -> Inline:
    return fixed(settings, values, TEMPLATE)
