"""Many look-ups by name, one after another; names are drawn at random, so that large tables do not stay in caches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from harness.contract import Inline
from impls.building_blocks.api_export.interpreters import find_python
from suites.api_export.settings import Settings


def symbol_names(count: int) -> list[str]:
    return [f"symbol_{position}" for position in range(count)]


def looked_up(settings: Settings, names: Sequence[object], wanted: Sequence[int], find: str, **tables: Any) -> Inline:
    """:param find: the expression that finds what ``name`` stands for.
    :param tables: what it finds it in.
    """
    if find_python(settings.python):
        raise ValueError(f"look-ups are for the running interpreter alone, not for {settings.python}")
    asked = [names[position] for position in wanted]
    return Inline(f"[{find} for name in asked]", {"asked": asked, **tables})
