"""Finding other interpreters of this machine by their version."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from harness.contract import Unavailable
from suites.api_export.settings import THIS

_TIMEOUT_S = 20.0
# What a program that is called after a version is, in its own words; shims stand in for programs elsewhere.
_WHICH = """
import platform, sys, sysconfig
pypy = "pypy" * (platform.python_implementation() == "PyPy")
free = "t" * bool(sysconfig.get_config_var("Py_GIL_DISABLED"))
version = f"{pypy}{sys.version_info.major}.{sys.version_info.minor}{free}"
"""


def find_python(version: str) -> str:
    """The program of an interpreter; empty for the one that runs.

    It is looked for among those that pyenv and uv have installed, and on the path.

    :param version: see :class:`suites.api_export.settings.Settings`.
    :raises Unavailable: there is none.
    """
    if version in (THIS, running_version()):
        return ""
    for program in _candidates(version):
        found, executable = _describe(program)
        if found == version:
            return executable
    raise Unavailable(f"Python {version} is not installed")


def running_version() -> str:
    """That of this interpreter, as a case would name it."""
    scope: dict[str, str] = {}
    exec(_WHICH, scope)
    return scope["version"]


def _candidates(version: str) -> Iterator[str]:
    name = version if version.startswith("pypy") else f"python{version}"
    home = Path.home()
    pyenv = Path(os.environ.get("PYENV_ROOT", home / ".pyenv"), "versions")
    for folder in (pyenv, home / ".local" / "share" / "uv" / "python"):
        yield from (str(file) for file in sorted(folder.glob(f"*/bin/{name}"), reverse=True))
    if on_path := shutil.which(name):
        yield on_path


def _describe(program: str) -> tuple[str, str]:
    """Version and real program; both empty where it does not run."""
    try:
        done = subprocess.run(
            [program, "-I", "-c", f"{_WHICH}print(version, sys.executable, sep=chr(10))"],
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_S,
            check=True,
        )
        version, executable = done.stdout.splitlines()
    except (OSError, subprocess.SubprocessError, ValueError):
        return "", ""
    return version, executable
