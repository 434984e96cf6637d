"""A closure of fixed arity around the function and the arguments that it fixes."""

from harness.contract import implements
from impls.building_blocks.api_export.calling import fixed
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
def call(values, wanted, settings):
    return fixed(settings, values, TEMPLATE)
