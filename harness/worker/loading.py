"""Importing one implementation and telling a missing package from a broken file."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

from harness.contract import Implementation, Unavailable


def load_implementation(module_name: str, path: Path, own_packages: tuple[str, ...]) -> Implementation:
    """Import the module, from ``path`` if it is not part of a package on ``sys.path``, and return what it registers.

    :param own_packages: top-level packages that belong to the project, whose absence is an error in the code.
    :raises Unavailable: a top-level package that is not ours is not installed.
    :raises Exception: whatever else the import raises.
    """
    try:
        module = _import(module_name, path)
    except ModuleNotFoundError as error:
        top = (error.name or "").split(".")[0]
        if top and top not in own_packages and top not in sys.stdlib_module_names and not _found(top):
            raise Unavailable(f"package {top} is not installed") from error
        raise
    found = [value for value in vars(module).values() if isinstance(value, Implementation)]
    own = [value for value in found if value.function.__module__ == module.__name__]
    if len(own) != 1:
        raise ImportError(f"{path} registers {len(own)} implementations; it must register exactly one")
    return own[0]


def _import(module_name: str, path: Path) -> ModuleType:
    if module_name in sys.modules:
        return sys.modules[module_name]
    if _found(module_name.split(".")[0]):
        return importlib.import_module(module_name)
    spec = importlib.util.spec_from_file_location(module_name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} cannot be imported as Python")
    module = importlib.util.module_from_spec(spec)
    sys.modules[module_name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[module_name]
        raise
    return module


def _found(top: str) -> bool:
    return top in sys.modules or importlib.util.find_spec(top) is not None
