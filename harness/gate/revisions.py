"""The two sides as folders: base checked out beside the repository, head as the working tree or checked out as well."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from harness.gate.git import RepositoryError, ask_git, find_commit, find_repository, run_git

_PREFIX = "bakeoff-gate-"


@dataclass(frozen=True)
class Checkout:
    """One side's files.

    :param asked: the revision as it was given; empty for the working tree.
    :param commit: full name of the commit; of the working tree the one it is based on, empty before the first.
    :param top: folder of the work tree.
    :param root: folder of the project in it.
    :param modified: files of the working tree that differ from its commit, untracked ones included.
    :param detached: whether the working tree is on no branch.
    """

    asked: str
    commit: str
    top: Path
    root: Path
    modified: int = 0
    detached: bool = False

    @property
    def description(self) -> str:
        short = self.commit[:10] or "no commit yet"
        if self.asked:
            return short if self.commit.startswith(self.asked) else f"{self.asked} ({short})"
        head = f"the working tree at {short}"
        if self.detached:
            head += ", detached"
        files = f"{self.modified} uncommitted file{'s' if self.modified > 1 else ''}"
        return f"{head}, with {files}" if self.modified else head


@contextmanager
def check_out(root: Path, base: str, head: str) -> Iterator[tuple[Checkout, Checkout]]:
    """Base and head of the project in ``root``; what was checked out for it is removed however the context ends.

    :param head: a revision; empty for the working tree as it is.
    :raises RevisionError: there is no such revision.
    :raises RepositoryError: there is no git, no repository, or a shallow clone lacks the revision.
    """
    top = find_repository(root)
    commits = {revision: find_commit(top, revision) for revision in (base, head) if revision}
    inside = root.resolve().relative_to(top)
    _remove_left(top)
    folder = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-")).resolve()
    try:
        sides = [
            _add(top, revision, commits[revision], folder / name, inside)
            if revision
            else working_tree(top, root.resolve())
            for name, revision in (("base", base), ("head", head))
        ]
        yield sides[0], sides[1]
    finally:
        with _undisturbed():
            _remove(top, folder)


def working_tree(top: Path, root: Path) -> Checkout:
    """The files as they are now."""
    changed = run_git(top, "status", "--porcelain", "--untracked-files=all").splitlines()
    return Checkout(
        asked="",
        commit=ask_git(top, "rev-parse", "--verify", "--quiet", "HEAD"),
        top=top,
        root=root,
        modified=len(changed),
        detached=not ask_git(top, "symbolic-ref", "--quiet", "HEAD"),
    )


def _add(top: Path, asked: str, commit: str, folder: Path, inside: Path) -> Checkout:
    try:
        run_git(top, "worktree", "add", "--detach", "--force", str(folder), commit)
    except RepositoryError as error:
        raise RepositoryError(f"{asked} cannot be checked out: {error}") from error
    return Checkout(asked=asked, commit=commit, top=folder, root=folder / inside)


def _remove(top: Path, folder: Path) -> None:
    for tree in folder.glob("*"):
        ask_git(top, "worktree", "remove", "--force", str(tree))
    shutil.rmtree(folder, ignore_errors=True)
    ask_git(top, "worktree", "prune")


def _remove_left(top: Path) -> None:
    """What a gate that was killed has left, which could not clean up after itself."""
    for line in ask_git(top, "worktree", "list", "--porcelain").splitlines():
        folder = Path(line.removeprefix("worktree ")).parent
        if line.startswith("worktree ") and folder.name.startswith(_PREFIX) and not _lives(folder.name):
            _remove(top, folder)


def _lives(name: str) -> bool:
    """Whether the program that made the folder of this name is still there."""
    number = name.removeprefix(_PREFIX).split("-")[0]
    try:
        os.kill(int(number), 0)
    except (ValueError, ProcessLookupError):
        return False
    except PermissionError:
        return True
    return True


@contextmanager
def _undisturbed() -> Iterator[None]:
    """No interrupt until the context ends: half of what was checked out would stay."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            with suppress(TypeError):  # one that was not set from Python cannot be put back
                signal.signal(number, handler)
