"""An object with ``__call__`` that keeps the function and the fixed arguments as attributes in slots."""

from typing import Any

from harness.contract import Inline, implements
from impls.building_blocks.api_export.calling import fixed
from suites.api_export.settings import Settings
from suites.api_export.suite import SUITE

TEMPLATE = """
class Fixed:
    __slots__ = ["f", *{attributes}]

    def __call__(self, {given}):
        return self.f({own})

def fix(f, {fixed}):
    made = Fixed()
    made.f = f
    for name in {attributes}:
        setattr(made, name, locals()[name])
    return made
"""


@implements(
    SUITE,
    arrays="python",
    dtypes=("float64",),
    inline=True,
    limits={"task": ("call",)},
)
def call(values: Any, wanted: list[int], settings: Settings) -> Inline:
    return fixed(settings, values, TEMPLATE)
