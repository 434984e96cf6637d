"""A wrapper with ``*args, **kwargs`` that looks like what it wraps; a call cannot override what it fixes."""

from typing import Any

from harness.contract import Inline, implements
from impls.building_blocks.api_export.calling import fixed
from suites.api_export.settings import Settings
from suites.api_export.suite import SUITE

TEMPLATE = """
from functools import wraps

def fix(f, {fixed}):
    @wraps(f)
    def g(*args, **kwargs):
        return f({star})
    return g
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
