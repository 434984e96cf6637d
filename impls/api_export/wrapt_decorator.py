"""wrapt: a transparent proxy around the function, with a wrapper that is given function, instance and arguments."""

from typing import Any

import wrapt

from harness.contract import Inline, implements
from impls.building_blocks.api_export.calling import fixed
from suites.api_export.settings import Settings
from suites.api_export.suite import SUITE

TEMPLATE = """
def fix(f, {fixed}):
    def forward(wrapped, instance, args, kwargs):
        return wrapped({star})
    return decorator(forward)(f)
"""


@implements(
    SUITE,
    arrays="python",
    dtypes=("float64",),
    inline=True,
    limits={"task": ("call",), "python": ("this",), "how": ("none",)},
)
def call(values: Any, wanted: list[int], settings: Settings) -> Inline:
    return fixed(settings, values, TEMPLATE, decorator=wrapt.decorator)
