"""A generated module of many functions, imported by a fresh interpreter with its compiled file present."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from harness.contract import Inline
from impls.building_blocks.api_export import exporting
from impls.building_blocks.api_export.interpreters import find_python
from suites.api_export.settings import Settings

_HEAD = "from exporting import Api\n\napi = Api()\ntf_export = api.export\n\n\n"
# What both kinds of module may need is loaded before them; the process ends without taking the module apart.
_PROGRAM = """
import functools, os, sys
sys.path.insert(0, sys.argv[1])
import symbols
find = symbols.api.symbol if sys.argv[2] else symbols.__dict__.__getitem__
print([find(sys.argv[2] + name)() for name in sys.argv[3].split()], flush=True)
os._exit(0)
"""
PACKAGE = "module."


def imported(settings: Settings, values: Sequence[float], wanted: Sequence[int], exported: bool) -> Inline:
    """Start an interpreter, have it import the module and call the wanted functions, by their names in the API if
    they have some.

    The start of the interpreter is in the time: it is the same with exports and without, so a difference is without it.
    """
    python = find_python(settings.python) or sys.executable
    folder = write_module(values, exported)
    names = " ".join(f"f{position}" for position in wanted)
    command = [python, "-I", "-S", "-c", _PROGRAM, str(folder), PACKAGE if exported else "", names]

    def fresh_import() -> list[float]:
        done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
        answer: list[float] = json.loads(done.stdout)
        return answer

    fresh_import()  # writes the compiled files
    return Inline("fresh_import()", {"fresh_import": fresh_import})


def write_module(values: Sequence[float], exported: bool) -> Path:
    """A folder with the module ``symbols``, whose functions ``f0``, ``f1``, ... return ``values``."""
    folder = Path(tempfile.mkdtemp(prefix="symbols"))
    parts = [_HEAD if exported else ""]
    for position, value in enumerate(values):
        decorator = f'@tf_export("{PACKAGE}f{position}")\n' if exported else ""
        parts.append(f"{decorator}def f{position}():\n    return {value!r}\n\n\n")
    (folder / "symbols.py").write_text("".join(parts))
    shutil.copy(exporting.__file__, folder / "exporting.py")
    return folder
