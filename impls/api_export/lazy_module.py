"""A module with ``__getattr__``, which finds a name at its first use and leaves it in the module for the next."""

from types import ModuleType
from typing import Any

from harness.contract import Inline, implements
from impls.building_blocks.api_export.calling import called
from impls.building_blocks.api_export.looking_up import looked_up, symbol_names
from suites.api_export.settings import Settings
from suites.api_export.suite import SUITE

SETUP = """
from types import ModuleType

module = ModuleType("module")

def find(name):
    if name != "f":
        raise AttributeError(name)
    module.f = f
    return f

module.__getattr__ = find
"""


@implements(
    SUITE,
    arrays="python",
    dtypes=("float64",),
    inline=True,
    limits={"task": ("call", "look_up"), "how": ("none",), "depth": (1,)},
)
def call(values: Any, wanted: list[int], settings: Settings) -> Inline:
    if settings.task == "look_up":
        names = symbol_names(settings.symbols)
        table = dict(zip(names, values, strict=True))
        return looked_up(settings, names, wanted, "getattr(module, name)", module=_lazy(table))
    return called(settings, values, "module.f", SETUP)


def _lazy(table: dict[str, float]) -> ModuleType:
    module = ModuleType("module")

    def find(name: str) -> float:
        value = vars(module)[name] = table[name]
        return value

    vars(module)["__getattr__"] = find
    return module
