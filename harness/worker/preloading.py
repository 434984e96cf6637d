"""Importing the heavy packages once, in the process that all workers are forked from."""

from __future__ import annotations

import gc
import importlib
import json
import os
from collections.abc import Sequence
from contextlib import suppress

PRELOAD = "BAKEOFF_PRELOAD"
"""Environment variable that tells the fork server what to import when it imports this module."""


def preload(names: Sequence[str]) -> None:
    """Import ``names``, absent ones passed over.

    Hundreds of thousands of objects come into being that stay: collecting again and again meanwhile would take a fifth
    of the time. What is left is collected once and then none of a worker's business.
    """
    gc.disable()
    try:
        for name in names:
            with suppress(ImportError):
                importlib.import_module(name)
        if "numba" in names:
            _ready_numba()
    finally:
        gc.enable()
    gc.collect()
    gc.freeze()


def _ready_numba() -> None:
    """Have Numba build its tables of what can be compiled, which it would do for half a second in every worker."""
    with suppress(ImportError):
        from numba.core.registry import cpu_target

        cpu_target.typing_context.refresh()
        cpu_target.target_context.refresh()


if PRELOAD in os.environ:
    preload(json.loads(os.environ.pop(PRELOAD)))
