"""A class that tags the function with its names and returns it, made by a partial: the pattern of tf_export."""

from pathlib import Path
from typing import Any

from harness.contract import Inline, implements
from impls.building_blocks.api_export import exporting
from impls.building_blocks.api_export.calling import called
from impls.building_blocks.api_export.importing import imported
from suites.api_export.settings import Settings
from suites.api_export.suite import SUITE

# As a text, since another interpreter has nothing else of this one.
SETUP = "exec(exporter)\nf = tf_export('module.f', 'f')(f)\n"
EXPORTER = Path(exporting.__file__).read_text(encoding="utf-8")


@implements(
    SUITE,
    arrays="python",
    dtypes=("float64",),
    inline=True,
    limits={"task": ("call", "import"), "how": ("none",), "depth": (1,)},
    counters=exporting.Api,
)
def call(values: Any, wanted: list[int], settings: Settings) -> Inline:
    if settings.task == "import":
        return imported(settings, values, wanted, exported=True)
    return called(settings, values, setup=SETUP, exporter=EXPORTER)
