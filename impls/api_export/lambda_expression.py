"""A lambda of fixed arity; its bytecode is the closure's, so what the two differ by is measuring alone."""

from harness.contract import implements
from impls.building_blocks.api_export.calling import fixed
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
    limits={"task": ("call",), "how": ("positional", "keyword")},
)
def call(values, wanted, settings):
    return fixed(settings, values, TEMPLATE)
