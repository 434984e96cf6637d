"""Where a project keeps its suites, implementations and results: ``[tool.bakeoff]`` in its ``pyproject.toml``."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


class ConfigError(Exception):
    """The project cannot be found or its configuration is wrong; the message says what to do."""


@dataclass(frozen=True)
class Project:
    """A folder with suites and implementations.

    :param root: the folder of the ``pyproject.toml``; module names are relative to it.
    :param suites: folder with one folder per topic, holding ``suite.py``.
    :param impls: folder with one folder per topic, holding one file per implementation.
    :param results: folder that runs are written to.
    :param reports: folder that pages are written to.
    :param preload: packages that the fork server imports once for all workers.
    """

    root: Path
    suites: Path
    impls: Path
    results: Path
    reports: Path
    preload: tuple[str, ...]

    @property
    def packages(self) -> tuple[str, ...]:
        """The top-level packages that hold the suites and the implementations."""
        return tuple(sorted({folder.relative_to(self.root).parts[0] for folder in (self.suites, self.impls)}))


_FOLDERS = ("suites", "impls", "results", "reports")
_PRELOAD = ("numpy", "torch", "numba")


def find_project(start: Path) -> Project:
    """The project that ``start`` lies in: the nearest folder upwards whose ``pyproject.toml`` has ``[tool.bakeoff]``.

    :raises ConfigError: there is none, or its table is wrong.
    """
    start = start.resolve()
    for folder in (start, *start.parents):
        file = folder / "pyproject.toml"
        if not file.is_file():
            continue
        try:
            document = tomllib.loads(file.read_text(encoding="utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ConfigError(f"{file} is not valid TOML: {error}") from error
        table = document.get("tool", {}).get("bakeoff")
        if table is not None:
            return _project(file, table)
    raise ConfigError(
        f"no pyproject.toml with a [tool.bakeoff] table in {start} or above it; "
        "change into a project that has one, or name it with --project"
    )


def _project(file: Path, table: Mapping[str, Any]) -> Project:
    root = file.parent
    known = {*_FOLDERS, "preload", "gate"}
    for key in table:
        if key not in known:
            raise ConfigError(
                f"{file}: [tool.bakeoff] has an unknown key {key!r}; known are {', '.join(sorted(known))}"
            )
    folders = {}
    for key in _FOLDERS:
        value = table.get(key, key)
        if not isinstance(value, str):
            raise ConfigError(f"{file}: tool.bakeoff.{key} must be a folder name, not {value!r}")
        folders[key] = (root / value).resolve()
    for key in ("suites", "impls"):
        if not folders[key].is_relative_to(root):
            raise ConfigError(f"{file}: tool.bakeoff.{key} must lie inside {root}, {folders[key]} does not")
        if not folders[key].is_dir():
            raise ConfigError(f"{file}: tool.bakeoff.{key} names {folders[key]}, which is not a folder")
    preload = table.get("preload", list(_PRELOAD))
    if not isinstance(preload, list) or not all(isinstance(name, str) for name in preload):
        raise ConfigError(f"{file}: tool.bakeoff.preload must be a list of package names, not {preload!r}")
    return Project(root=root, preload=tuple(preload), **folders)
