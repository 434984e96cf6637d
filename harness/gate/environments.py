"""A side's own environment, where the sides ask for other packages: what differs, installed over the one that runs."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import venv
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.gate.dependencies import value_at
from harness.gate.revisions import Checkout

FOLDER = Path(".bakeoff", "environments")
_PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check")
_SITE = "bakeoff_running_environment.pth"
_LONGEST_REASON = 800


class InstallationError(Exception):
    """The packages of a side cannot be installed; the message says which command failed, and how."""


@dataclass(frozen=True)
class Environment:
    """An interpreter that finds what a side asks for, and all else in the environment that runs.

    :param python: its path.
    :param path: its ``sys.path``.
    :param versions: of what was installed into it, by name.
    """

    python: str
    path: tuple[str, ...]
    versions: dict[str, str]


def requirements(side: Checkout) -> tuple[str, ...]:
    """What to give to ``pip install`` for a side.

    ``install`` in ``[tool.bakeoff.gate]``; else the dependencies in its ``pyproject.toml``, or its requirements.txt
    where there are none, held to its constraints.txt. Empty where pip can read none of what it has.

    :raises InstallationError: what is written there is no list of words.
    """
    try:
        document: Any = tomllib.loads((side.root / "pyproject.toml").read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        return ()  # whoever reads the project says what is wrong with it
    install = value_at(document, ("tool", "bakeoff", "gate", "install"))
    wanted = value_at(document, ("project", "dependencies")) or []
    for words in (install, wanted):
        if not (words is None or (isinstance(words, list) and all(isinstance(word, str) for word in words))):
            raise InstallationError(f"{side.description} asks for {words!r}, which is no list of words for pip install")
    if install is not None:
        return tuple(install)
    folders = dict.fromkeys((side.root, side.top))
    if not wanted:
        files = (folder / "requirements.txt" for folder in folders)
        wanted = [word for file in files if file.is_file() for word in ("--requirement", str(file))]
    pins = (folder / "constraints.txt" for folder in folders)
    held = [word for file in pins if file.is_file() for word in ("--constraint", str(file))]
    return (*wanted, *held) if wanted else ()


def install(side: Checkout, wanted: Sequence[str], project: Path, say: Callable[[str], None]) -> Environment:
    """The environment in which ``wanted`` is installed; made once and kept under ``project``.

    :param wanted: see :func:`requirements`; it is read in the side's folder.
    :raises InstallationError: it cannot be made.
    """
    folder = project / FOLDER / _key(side, wanted)
    if not folder.is_dir():
        say(f"installing what {side.description} asks for: {' '.join(wanted)}")
        unfinished = folder.with_name(f"{folder.name}.{os.getpid()}")
        try:
            _make(unfinished, wanted, side.root)
            unfinished.rename(folder)
        except OSError as error:
            if not folder.is_dir():  # else somebody else was quicker
                raise InstallationError(f"{folder} cannot be made: {error}") from error
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
    python = _python(folder)
    found = subprocess.run([python, "-c", _TELL], capture_output=True, text=True, check=False, cwd=folder)
    if found.returncode != 0:
        raise InstallationError(f"{python} does not run: {found.stderr.strip()[-_LONGEST_REASON:]}")
    installed = importlib.metadata.distributions(path=[str(_site(folder))])
    return Environment(python, tuple(json.loads(found.stdout)), {each.name: each.version for each in installed})


_TELL = "import json, sys; print(json.dumps([each for each in sys.path if each]))"


def _make(folder: Path, wanted: Sequence[str], root: Path) -> None:
    venv.create(folder, with_pip=False, symlinks=os.name != "nt")
    # Below what is installed here comes all that runs now, which pip counts as installed.
    running = dict.fromkeys(path for path in sys.path if Path(path).name in ("site-packages", "dist-packages"))
    (_site(folder) / _SITE).write_text("".join(f"{path}\n" for path in running), encoding="utf-8")
    command = [*_PIP, "--python", _python(folder), "install", "--quiet", *wanted]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    if done.returncode != 0:
        said = (done.stderr.strip() or done.stdout.strip())[-_LONGEST_REASON:]
        raise InstallationError(f"pip install {' '.join(wanted)} failed: {said}")


def _key(side: Checkout, wanted: Sequence[str]) -> str:
    """By what is asked for, the files that it names, and everything that lies below."""
    below = sorted(f"{each.name}=={each.version}" for each in importlib.metadata.distributions())
    # constraints of a side lie in a folder that has another name each time
    words = [word.replace(str(side.top), "") for word in wanted]
    files = [file for word in wanted if not word.startswith("-") and (file := side.root / word).is_file()]
    known = hashlib.blake2b(json.dumps([sys.version, sys.prefix, words, below]).encode(), digest_size=8)
    for file in files:
        known.update(file.read_bytes())
    return known.hexdigest()


def _site(folder: Path) -> Path:
    return Path(sysconfig.get_path("purelib", "venv", {"base": str(folder), "platbase": str(folder)}))


def _python(folder: Path) -> str:
    return str(Path(sysconfig.get_path("scripts", "venv", {"base": str(folder), "platbase": str(folder)})) / "python")
