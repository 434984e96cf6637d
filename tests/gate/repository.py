"""A git repository for tests, with commits that do more or less of the same work."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

IMPLEMENTATION = '''
"""A loop of a known length, then NumPy."""
from harness.contract import implements
from suites.total.suite import SUITE

AMOUNT = {amount}


@implements(SUITE, dtypes=("float32", "float64"))
def total(x, shift):
    done = 0.0
    for _ in range(AMOUNT):
        done += 1.0
    yield x.sum() + x.dtype.type(shift)
    yield x - x.mean()
'''


@dataclass(frozen=True)
class Repository:
    """:param top: folder of the work tree."""

    top: Path
    project: Path

    def git(self, *arguments: str, folder: Path | None = None) -> str:
        done = subprocess.run(
            ["git", "-c", "user.name=A", "-c", "user.email=a@example.org", *arguments],
            cwd=folder or self.top,
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull},
        )
        return done.stdout.strip()

    def commit(self, message: str) -> str:
        """Everything as it is; the commit's name."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD")

    def write_amount(self, amount: int, name: str = "looping") -> Path:
        """How much work the implementation does beside its answer."""
        return self.write(f"impls/total/{name}.py", IMPLEMENTATION.format(amount=amount))

    def write(self, name: str, text: str) -> Path:
        """A file of the project."""
        file = self.project / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    @property
    def worktrees(self) -> int:
        return self.git("worktree", "list").count("\n") + 1


def make_repository(top: Path, project: Path) -> Repository:
    repository = Repository(top, project)
    repository.git("init", "--quiet", "--initial-branch=main")
    (top / ".gitignore").write_text("__pycache__/\n.bakeoff/\n")
    return repository
