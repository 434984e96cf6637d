"""Checking out base and head: what is asked for, and nothing left behind."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from harness.gate.git import RepositoryError, RevisionError
from harness.gate.revisions import check_out
from tests.gate.repository import Repository, make_repository


def amount(folder: Path) -> str:
    text = (folder / "impls" / "total" / "looping.py").read_text()
    return next(line.removeprefix("AMOUNT = ") for line in text.splitlines() if line.startswith("AMOUNT"))


def test_base_as_it_was_and_head_as_it_is(repository: Repository) -> None:
    repository.write_amount(3000)  # not committed
    with check_out(repository.project, "HEAD", "") as (base, head):
        assert amount(base.root) == "2000"
        assert amount(head.root) == "3000"
        assert head.root == repository.project.resolve()
        assert repository.worktrees == 2
        kept = base.top
    assert not kept.exists()
    assert repository.worktrees == 1


def test_two_revisions(repository: Repository) -> None:
    repository.write_amount(3000)
    repository.commit("more")
    repository.write_amount(9000)
    with check_out(repository.project, "HEAD~1", "main") as (base, head):
        assert (amount(base.root), amount(head.root)) == ("2000", "3000")
        assert base.description.startswith("HEAD~1 (")
        assert head.asked == "main"


def test_a_project_in_a_folder_of_the_repository(tmp_path: Path, project: Path) -> None:
    top = tmp_path / "whole"
    top.mkdir()
    inside = top / "bench marks"
    project.rename(inside)
    repository = make_repository(top, inside)
    repository.write_amount(2000)
    repository.commit("the first")
    with check_out(inside, "main", "") as (base, _):
        assert base.root == base.top / "bench marks"
        assert amount(base.root) == "2000"


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, SystemExit])
def test_nothing_is_left_whatever_happens(repository: Repository, error: type[BaseException]) -> None:
    tops: list[Path] = []

    def fail_inside() -> None:
        with check_out(repository.project, "HEAD", "main") as (base, head):
            tops.extend((base.top, head.top))
            raise error

    with pytest.raises(error):
        fail_inside()
    assert len(tops) == 2
    assert repository.worktrees == 1
    assert not any(top.exists() for top in tops)
    assert not list((repository.top / ".git").glob("worktrees/*"))


def test_what_a_killed_gate_left_is_removed_by_the_next(repository: Repository) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    for number in (ended.pid, os.getpid()):  # one of a program that is gone, one of a program that runs
        folder = Path(tempfile.mkdtemp(prefix=f"bakeoff-gate-{number}-")) / "base"
        repository.git("worktree", "add", "--quiet", "--detach", str(folder), "HEAD")
    with check_out(repository.project, "HEAD", ""):
        assert repository.worktrees == 3
    assert repository.worktrees == 2
    assert folder.exists()
    repository.git("worktree", "remove", "--force", str(folder))
    folder.parent.rmdir()


@pytest.mark.parametrize(("revision", "near"), [("mian", "'main'"), ("v1.O", "'v1.0'"), ("qqqqqq", "main, v1.0")])
def test_an_unknown_revision_names_the_nearest(repository: Repository, revision: str, near: str) -> None:
    repository.git("tag", "v1.0")
    with (
        pytest.raises(RevisionError, match=f"no revision '{revision}'.*{near}"),
        check_out(repository.project, revision, ""),
    ):
        pass


def test_an_unknown_head_is_said_before_base_is_checked_out(repository: Repository) -> None:
    with pytest.raises(RevisionError, match="nowhere"), check_out(repository.project, "main", "nowhere"):
        pass
    assert repository.worktrees == 1


def test_an_option_is_no_revision(repository: Repository) -> None:
    with pytest.raises(RevisionError, match="--all"), check_out(repository.project, "--all", ""):
        pass


def test_a_file_is_no_revision(repository: Repository) -> None:
    with pytest.raises(RevisionError), check_out(repository.project, "main:pyproject.toml", ""):
        pass


def test_a_shallow_clone_that_lacks_base(repository: Repository, tmp_path: Path) -> None:
    repository.write_amount(3000)
    repository.commit("more")
    clone = tmp_path / "clone"
    repository.git("clone", "--quiet", "--depth=1", f"file://{repository.top}", str(clone))
    with (
        pytest.raises(RepositoryError, match=r"shallow.*git fetch --unshallow.*fetch-depth: 0"),
        check_out(clone, "HEAD~1", ""),
    ):
        pass
    with check_out(clone, "HEAD", "") as (base, _):  # what it has is fine
        assert amount(base.root) == "3000"


def test_outside_a_repository(project: Path) -> None:
    with pytest.raises(RepositoryError, match="is no git work tree"), check_out(project, "main", ""):
        pass


def test_without_git(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", os.devnull)
    with pytest.raises(RepositoryError, match="git is not installed"), check_out(repository.project, "main", ""):
        pass


def test_a_detached_head_and_a_dirty_tree_are_said(repository: Repository) -> None:
    repository.git("checkout", "--quiet", "--detach")
    repository.write_amount(3000)
    repository.write("impls/total/another.py", "")
    with check_out(repository.project, "main", "") as (_, head):
        assert head.detached
        assert head.modified == 2
        assert "detached" in head.description
        assert "2 uncommitted files" in head.description


def test_from_within_a_hook_of_another_repository(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Git tells its hooks by variables which repository they are of."""
    other = tmp_path / "other"
    subprocess.run(["git", "init", "--quiet", str(other)], check=True)
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(other / ".git" / "index"))
    with check_out(repository.project, "main", "") as (base, _):
        assert amount(base.root) == "2000"
    monkeypatch.undo()
    assert repository.worktrees == 1


def test_the_repositorys_own_hooks_do_not_run(repository: Repository, tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    hook = repository.top / ".git" / "hooks" / "post-checkout"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch '{ran}'\n")
    hook.chmod(0o755)
    with check_out(repository.project, "main", ""):
        pass
    assert not ran.exists()
