"""Sides that ask for other packages, which really are installed: wheels of a folder, without a network."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from harness.gate.dependencies import environment_differences
from harness.gate.environments import FOLDER, InstallationError, install, requirements
from harness.gate.revisions import Checkout
from tests.gate.repository import IMPLEMENTATION, Repository
from tests.gate.test_command import QUICKLY, Gate, gate

__all__ = ["gate"]

PROJECT = """
[project]
name = "sums"
version = "1"
dependencies = {dependencies}
[tool.bakeoff]
preload = ["numpy", "swift"]
"""
INSTALL = """
[tool.bakeoff.gate]
install = {words}
"""
WITH_PACKAGE = "import swift\n" + IMPLEMENTATION.format(amount="swift.AMOUNT")


@pytest.fixture
def wheels(tmp_path: Path) -> Path:
    """A folder with two versions of a package that says how much work to do."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    for version, amount in (("1.0", 2000), ("2.0", 4000)):
        told = f"swift-{version}.dist-info"
        with zipfile.ZipFile(folder / f"swift-{version}-py3-none-any.whl", "w") as wheel:
            wheel.writestr("swift.py", f"AMOUNT = {amount}\n")
            wheel.writestr(f"{told}/METADATA", f"Metadata-Version: 2.1\nName: swift\nVersion: {version}\n")
            wheel.writestr(f"{told}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            wheel.writestr(f"{told}/RECORD", f"swift.py,,\n{told}/METADATA,,\n{told}/WHEEL,,\n{told}/RECORD,,\n")
    return folder


def asking(wheels: Path, *words: str) -> str:
    text = INSTALL.format(words=json.dumps(["--no-index", "--find-links", str(wheels), *words]))
    return PROJECT.format(dependencies="[]") + text


def side(folder: Path) -> Checkout:
    return Checkout("", "", folder, folder)


def test_each_side_is_measured_with_its_own_version(repository: Repository, gate: Gate, wheels: Path) -> None:
    repository.write("pyproject.toml", asking(wheels, "swift==1.0"))
    repository.write("impls/total/looping.py", WITH_PACKAGE)
    repository.commit("the first version")
    repository.write("pyproject.toml", asking(wheels, "swift==2.0"))
    done = gate("--base", "HEAD", "total/looping", *QUICKLY)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "slower: 1 comparison of 1" in done.stdout
    told = " ".join(done.stdout.split())
    assert "Each side was measured in an environment of its own, with swift 1.0 and 2.0." in told
    assert done.stderr.count("installing what") == 2
    kept = sorted((repository.project / FOLDER).iterdir())
    assert len(kept) == 2

    again = gate("--base", "HEAD", "total/looping", "--budget", "0", *QUICKLY)
    assert "installing" not in again.stderr
    assert sorted((repository.project / FOLDER).iterdir()) == kept

    shared = gate("--base", "HEAD", "total/looping", "--no-install", *QUICKLY)
    assert "total/looping is left out: package swift is not installed" in " ".join(shared.stdout.split())
    assert "in the one environment that is installed" in " ".join(shared.stdout.split())


def test_what_cannot_be_installed_is_said_and_leaves_nothing(repository: Repository, gate: Gate, wheels: Path) -> None:
    repository.write("pyproject.toml", asking(wheels, "swift==3.0"))
    repository.commit("a version that there is not")
    repository.write("pyproject.toml", asking(wheels, "swift==2.0"))
    done = gate("--base", "HEAD", *QUICKLY)
    assert done.returncode == 3
    assert "swift==3.0 failed: ERROR: " in done.stderr
    assert "--no-install measures both in the environment that runs" in done.stderr
    assert [file.name for file in (repository.project / FOLDER).iterdir()] == []
    assert repository.worktrees == 1


def test_what_is_installed_here_is_found_there(tmp_path: Path, wheels: Path) -> None:
    (tmp_path / "side").mkdir()
    said: list[str] = []
    words = ("--no-index", "--find-links", str(wheels), "swift", "numpy")
    found = install(side(tmp_path / "side"), words, tmp_path, said.append)
    assert said == [f"installing what the working tree at no commit yet asks for: {' '.join(words)}"]
    assert found.versions == {"swift": "2.0"}
    code = "import numpy, swift; print(swift.AMOUNT); print(numpy.__file__)"
    shown = subprocess.run([found.python, "-c", code], capture_output=True, text=True, check=True).stdout
    import numpy

    assert shown.splitlines() == ["4000", numpy.__file__]
    assert str(Path(found.python).parents[1]) != sys.prefix


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"pyproject.toml": PROJECT.format(dependencies='["numpy>=2"]')}, ("numpy>=2",)),
        (
            {"pyproject.toml": PROJECT.format(dependencies='["numpy"]'), "constraints.txt": "numpy==2.4.6\n"},
            ("numpy", "--constraint", "{}/constraints.txt"),
        ),
        (
            {"pyproject.toml": PROJECT.format(dependencies="[]"), "requirements.txt": "numpy\n"},
            ("--requirement", "{}/requirements.txt"),
        ),
        ({"pyproject.toml": PROJECT.format(dependencies="[]"), "poetry.lock": "numpy\n"}, ()),
        ({"pyproject.toml": PROJECT.format(dependencies='["a"]') + INSTALL.format(words='[".[all]"]')}, (".[all]",)),
        ({"pyproject.toml": "no TOML ["}, ()),
        ({}, ()),
    ],
)
def test_what_is_asked_for(tmp_path: Path, files: dict[str, str], words: tuple[str, ...]) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    assert requirements(side(tmp_path)) == tuple(word.format(tmp_path) for word in words)


@pytest.mark.parametrize("value", ['"numpy"', "[1]", "{}"])
def test_words_that_are_none(tmp_path: Path, value: str) -> None:
    (tmp_path / "pyproject.toml").write_text(PROJECT.format(dependencies="[]") + INSTALL.format(words=value))
    with pytest.raises(InstallationError, match="no list of words"):
        requirements(side(tmp_path))


def test_other_words_are_another_environment(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("base", "head")]
    for folder, words in zip(folders, ('["a"]', '["b"]'), strict=True):
        folder.mkdir()
        (folder / "pyproject.toml").write_text(PROJECT.format(dependencies="[]") + INSTALL.format(words=words))
    assert environment_differences(side(folders[0]), side(folders[1])) == ("pyproject.toml",)
