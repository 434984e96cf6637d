"""What can have changed is measured, and nothing else; each side with its own files."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

import pytest

from harness.discovery import SelectionError
from harness.gate.importing import import_path, preloadable, source_folders
from harness.gate.revisions import check_out
from harness.gate.selection import SAME_CODE, Selection, edited_since, select
from harness.gate.sides import Side, SideError, load_side
from tests.gate.repository import Repository

pytestmark = pytest.mark.usefixtures("own_imports")

LOOPING, PLAIN = ("total", "looping"), ("total", "plain")


@contextmanager
def both_sides(repository: Repository) -> Iterator[tuple[Side, Side]]:
    with check_out(repository.project, "HEAD", "") as (before, after):
        yield load_side("base", before, repository.top.resolve()), load_side("head", after, repository.top.resolve())


def selected(repository: Repository, *patterns: str, everything: bool = False) -> Selection:
    with both_sides(repository) as (base, head):
        return select(base, head, patterns, everything)


def test_nothing_changed(repository: Repository) -> None:
    found = selected(repository)
    assert found.chosen == {}
    assert found.skipped == {LOOPING: SAME_CODE, PLAIN: SAME_CODE}


def test_all_of_it_when_asked(repository: Repository) -> None:
    assert set(selected(repository, everything=True).chosen) == {LOOPING, PLAIN}


def test_one_implementation(repository: Repository) -> None:
    repository.write_amount(3000)
    found = selected(repository)
    assert found.chosen == {LOOPING: "impls/total/looping.py changed"}
    assert found.skipped == {PLAIN: SAME_CODE}
    assert found.notes == ()


@pytest.mark.parametrize(
    ("line", "library"),
    [
        ("from impls.building_blocks.total.sums import add", "impls/building_blocks/total/sums.py"),
        ("import library.sums", "library/sums.py"),
        ("from library.sums import add", "library/sums.py"),
        ("from library import sums as other", "src/library/sums.py"),
        ("from library import add", "src/library/__init__.py"),
        ("def lazily():\n    import library.sums", "src/library/sums.py"),
    ],
)
def test_what_imports_the_changed_file(repository: Repository, line: str, library: str) -> None:
    """Through a file between them, in a function, from the project's folder or from ``src``."""
    file = repository.write(library, "def add(x):\n    return x\n")
    for folder in file.parents:
        if folder.name == "library" and not (folder / "__init__.py").exists():
            (folder / "__init__.py").write_text("")
    repository.write("impls/building_blocks/total/between.py", f"{line}\n")
    text = (repository.project / "impls/total/looping.py").read_text()
    repository.write("impls/total/looping.py", f"from impls.building_blocks.total import between\n{text}")
    repository.commit("it imports")
    assert selected(repository).chosen == {}
    file.write_text("def add(x):\n    return x + 0\n")
    assert set(selected(repository).chosen) == {LOOPING}


def test_a_relative_import(repository: Repository) -> None:
    repository.write("library/__init__.py", "from .deep import sums\n")
    repository.write("library/deep/__init__.py", "")
    repository.write("library/deep/sums.py", "from ..other import x\n")
    file = repository.write("library/other.py", "x = 1\n")
    text = (repository.project / "impls/total/looping.py").read_text()
    repository.write("impls/total/looping.py", f"import library\n{text}")
    repository.commit("it imports")
    file.write_text("x = 2\n")
    assert selected(repository).chosen == {LOOPING: "library/other.py changed"}


def test_a_suite_concerns_all_of_its_implementations(repository: Repository) -> None:
    file = repository.project / "suites" / "total" / "suite.py"
    file.write_text(file.read_text() + "\n# another line\n")
    found = selected(repository)
    assert set(found.chosen) == {LOOPING, PLAIN}
    assert any("suite total changed" in note for note in found.notes)


def test_data_beside_the_code(repository: Repository) -> None:
    repository.write("suites/total/numbers.csv", "1,2\n")
    assert set(selected(repository).chosen) == {LOOPING, PLAIN}


def test_papers_concern_nothing(repository: Repository) -> None:
    repository.write("README.md", "New words.\n")
    repository.write("tests/test_it.py", "def test(): ...\n")
    assert selected(repository).chosen == {}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("requirements.txt", "numpy<3\n"),
        ("constraints.txt", "numpy==2.0\n"),
        ("uv.lock", "version = 1\n"),
        ("pyproject.toml", "[tool.bakeoff]\npreload = ['numpy']\n[project]\ndependencies = ['numpy']\n"),
    ],
)
def test_other_dependencies_concern_everything(repository: Repository, name: str, text: str) -> None:
    repository.write(name, text)
    found = selected(repository)
    assert set(found.chosen) == {LOOPING, PLAIN}
    assert any(name in note and "one environment" in note for note in found.notes)


def test_other_settings_are_no_dependencies(repository: Repository) -> None:
    repository.write("pyproject.toml", "[tool.bakeoff]\npreload = ['numpy']\n[tool.bakeoff.gate]\ntime = 3\n")
    assert selected(repository).chosen == {}


def test_new_and_removed(repository: Repository) -> None:
    repository.write_amount(2000, "another")
    (repository.project / "impls/total/looping.py").unlink()
    found = selected(repository)
    assert found.new == (("total", "another"),)
    assert found.removed == (LOOPING,)
    assert found.skipped == {PLAIN: SAME_CODE}
    assert selected(repository, "total/looping").removed == (LOOPING,)


def test_a_selection_narrows_and_its_mistakes_are_said(repository: Repository) -> None:
    repository.write_amount(3000)
    assert selected(repository, "total/plain").chosen == {}
    assert set(selected(repository, "total/l*").chosen) == {LOOPING}
    with pytest.raises(SelectionError, match="did you mean 'total/looping'"):
        selected(repository, "total/loopin")


def test_a_side_that_cannot_be_read_says_which_file(repository: Repository) -> None:
    repository.write("impls/total/looping.py", "def f(:\n")
    with pytest.raises(SideError, match=r"impls/total/looping.py cannot be read") as caught, both_sides(repository):
        pass
    assert caught.value.side == "head"
    repository.commit("broken")
    with pytest.raises(SideError, match=r"^impls/total/looping.py cannot be read") as caught, both_sides(repository):
        pass
    assert caught.value.side == "base"


def test_each_side_imports_from_its_own_checkout(repository: Repository) -> None:
    """What is installed from the working tree is moved; an environment inside it is not."""
    repository.write("src/library.py", "")
    repository.commit("a library")
    installed = repository.project.resolve()
    site = str(installed / ".venv" / "lib" / "site-packages")
    before = ["/tools", str(installed / "src"), site, "/elsewhere"]
    with check_out(repository.project, "HEAD", "") as (base, head):
        ours, theirs = (import_path(side, installed, before) for side in (head, base))
        assert ours[0] == str(head.root)
        assert theirs[0] == str(base.root)
        assert str(base.top / "src") in theirs
        assert not [folder for folder in theirs if folder.startswith(str(installed)) and folder != site]
        assert theirs.index("/tools") < theirs.index(str(base.top / "src")) < theirs.index(site)
        assert theirs[-1] == "/elsewhere"
        assert source_folders(base) == (base.root, base.root / "src")


def test_a_finder_of_an_editable_installation_is_followed(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    """setuptools maps packages to folders by a finder where one line in ``sys.path`` would show too much."""
    repository.write("deep/down/library/__init__.py", "")
    repository.commit("a library")
    installed = repository.project.resolve()
    module = ModuleType("__editable___library_finder")
    exec("class Finder:\n    pass\n", vars(module))
    vars(module)["MAPPING"] = {"library": str(installed / "deep" / "down" / "library")}
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path, vars(module)["Finder"]])
    with check_out(repository.project, "HEAD", "") as (base, _):
        path = import_path(base, installed, ["/tools"])
        assert path == (str(base.root), "/tools", str(base.top / "deep" / "down"))


def test_what_is_edited_while_it_is_measured(repository: Repository) -> None:
    repository.write_amount(3000)
    with both_sides(repository) as (base, head):
        found = select(base, head, (), False)
        assert edited_since(head, found.code) == {}
        file = repository.write_amount(4000)
        assert edited_since(head, found.code) == {LOOPING: "impls/total/looping.py"}
        file.unlink()
        assert set(edited_since(head, found.code)) == {LOOPING}


def test_what_is_preloaded(repository: Repository) -> None:
    """Nothing that no selected implementation imports, and nothing of the project's own."""
    repository.write("src/library.py", "")
    with check_out(repository.project, "HEAD", "") as sides:
        wanted = frozenset({"numpy", "scipy", "library"})
        assert preloadable(("numpy", "torch", "scipy.spatial", "library"), wanted, sides) == ("numpy", "scipy.spatial")
