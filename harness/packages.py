"""Making a project's own folders importable under their names, whatever else is installed under the same name."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import sys
from pathlib import Path


def bind_packages(root: Path, tops: tuple[str, ...]) -> None:
    """Let ``import TOP`` mean the folder ``root/TOP`` for each name in ``tops``.

    A folder without ``__init__.py`` would lose to a package of the same name anywhere on ``sys.path``, and two
    projects commonly both call their folder ``suites``; so the packages are bound here instead of searched for.
    Modules of an earlier binding to another root are forgotten.
    """
    if str(root) not in sys.path:
        sys.path.insert(0, str(root))
    for top in tops:
        folder = str(root / top)
        bound = sys.modules.get(top)
        if bound is not None and list(getattr(bound, "__path__", [])) == [folder]:
            continue
        for name in [name for name in sys.modules if name == top or name.startswith(f"{top}.")]:
            del sys.modules[name]
        init = Path(folder, "__init__.py")
        if init.is_file():
            spec = importlib.util.spec_from_file_location(top, init, submodule_search_locations=[folder])
        else:
            spec = importlib.machinery.ModuleSpec(top, None, is_package=True)
            spec.submodule_search_locations = [folder]
        if spec is None:
            raise ImportError(f"{folder} cannot be made a package")
        module = importlib.util.module_from_spec(spec)
        sys.modules[top] = module
        if spec.loader is not None:
            spec.loader.exec_module(module)
