"""Asking git, and what its refusals mean to somebody who gates a change."""

from __future__ import annotations

import difflib
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from harness.printable import printable

TIMEOUT_S = 120.0
# Set for hooks, where they would turn every question to another folder into one about the repository of the hook.
_OF_THE_CALLER = (
    "GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_COMMON_DIR", "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_NAMESPACE", "GIT_QUARANTINE_PATH",
)  # fmt: skip


class RevisionError(Exception):
    """There is no such revision; the message names the nearest that there is."""


class RepositoryError(Exception):
    """Git, or the repository, does not give what is needed; the message says what to do."""


def run_git(folder: Path, *arguments: str) -> str:
    """What git prints.

    :raises RepositoryError: there is no git, it takes over two minutes, or it refuses; with its own words.
    """
    done = _run(folder, arguments)
    if done.returncode != 0:
        words = printable((done.stderr.strip().splitlines() or ["no reason given"])[0])
        raise RepositoryError(f"git {' '.join(arguments[:2])} failed: {words}")
    return done.stdout.strip()


def ask_git(folder: Path, *arguments: str) -> str:
    """The same, but nothing where git refuses."""
    done = _run(folder, arguments)
    return done.stdout.strip() if done.returncode == 0 else ""


def find_repository(folder: Path) -> Path:
    """The top folder of the work tree that ``folder`` lies in.

    :raises RepositoryError: there is none.
    """
    try:
        return Path(run_git(folder, "rev-parse", "--show-toplevel")).resolve()
    except RepositoryError as error:
        raise RepositoryError(
            f"{printable(str(folder))} is no git work tree, and base is taken out of one ({error})"
        ) from error


def find_commit(top: Path, revision: str) -> str:
    """The full name of the commit that ``revision`` means.

    :raises RevisionError: the repository has no such revision.
    :raises RepositoryError: it may have one, but this clone was cut off before it.
    """
    commit = (
        "" if revision.startswith("-") else ask_git(top, "rev-parse", "--verify", "--quiet", revision + "^{commit}")
    )
    if commit:
        return commit
    shown = printable(revision)
    if ask_git(top, "rev-parse", "--is-shallow-repository") == "true":
        raise RepositoryError(
            f"revision {shown!r} is not in this clone, which is shallow and ends before it; run git fetch --unshallow, "
            "or set fetch-depth: 0 in the job's checkout step"
        )
    names = ask_git(
        top, "for-each-ref", "--format=%(refname:short)", "refs/heads", "refs/tags", "refs/remotes"
    ).splitlines()
    near = difflib.get_close_matches(revision, names, n=1, cutoff=0.4)
    if near:
        hint = f"did you mean {printable(near[0])!r}?"
    else:
        hint = f"branches and tags are {printable(', '.join(names[:8]), 300) or 'none'}"
    raise RevisionError(f"there is no revision {shown!r}; {hint}")


def _run(folder: Path, arguments: Sequence[str]) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name not in _OF_THE_CALLER}
    try:
        return subprocess.run(
            # a hook of the repository has no business in a checkout that lives for minutes
            ["git", "-C", str(folder), "-c", f"core.hooksPath={os.devnull}", *arguments],
            capture_output=True,
            text=True,
            errors="replace",
            stdin=subprocess.DEVNULL,
            env={**environment, "LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0"},
            timeout=TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise RepositoryError(f"git {arguments[0]} did not end within {TIMEOUT_S:g} s") from error
    except OSError as error:
        raise RepositoryError(f"git is not installed, or not on the PATH ({error.strerror})") from error
