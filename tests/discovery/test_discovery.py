"""Finding implementations by file name and reading what they declare without running them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from harness.config import ConfigError, find_project
from harness.discovery import Catalogue, DiscoveryError, SelectionError, load_catalogue

Add = Callable[..., Path]
RIGHT = "yield x.sum() + x.dtype.type(shift)\nyield x - x.mean()"


def load(project: Path, *external: Path) -> Catalogue:
    return load_catalogue(find_project(project), external)


def test_the_file_name_is_the_name_and_nothing_is_run(project: Path, add_implementation: Add) -> None:
    add_implementation("loud", RIGHT, "raise SystemExit('was run')")
    listing = load(project).find("total", "loud")
    assert (listing.title, listing.available, listing.origin) == ("loud.", True, "project")


def test_what_is_declared_is_read(project: Path, add_implementation: Add) -> None:
    add_implementation(
        "declared", RIGHT, arguments=", arrays='torch', devices=['cpu', 'cuda'], dtypes=('bfloat16',), limits={'n': 50}"
    )
    listing = load(project).find("total", "declared")
    assert (listing.arrays, listing.devices, listing.dtypes) == ("torch", ("cpu", "cuda"), ("bfloat16",))
    assert listing.excludes({"n": 51}) == "only up to n=50"
    assert listing.excludes({"n": 50}) == ""


def test_limits_may_list_allowed_values(project: Path, add_implementation: Add) -> None:
    add_implementation("listed", RIGHT, arguments=", limits={'kind': ('a', 'b'), 'absent': 3}")
    listing = load(project).find("total", "listed")
    assert listing.excludes({"kind": "c"}) == "only for kind=a or b"
    assert listing.excludes({"kind": "b"}) == ""


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ("import no_such_package", "package no_such_package is not installed"),
        ("from no_such_package.deep import thing", "package no_such_package is not installed"),
        ("import json, numpy.linalg", ""),
        ("from impls.building_blocks import piece", "package deeply_missing is not installed"),
        ("import suites.total.siute", ""),
    ],
)
def test_only_a_missing_package_of_others_is_unavailable(
    project: Path, add_implementation: Add, header: str, reason: str
) -> None:
    """Imports of our own are followed; a typo in one is left for the import itself to report."""
    blocks = project / "impls" / "building_blocks"
    blocks.mkdir()
    (blocks / "piece.py").write_text("import deeply_missing\n")
    add_implementation("one", RIGHT, header)
    assert load(project).find("total", "one").reason == reason


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("def total(x, shift): ...", "no function decorated with @implements"),
        ("def total(x, shift:", "cannot be read as Python"),
        (
            "from suites.total.suite import SUITE\n@implements(SUITE, colour='red')\ndef f(x): ...",
            "no argument 'colour'",
        ),
        ("from suites.total.suite import SUITE\n@implements(SUITE, dtypes=TYPES)\ndef f(x): ...", "as a literal"),
        ("from suites.other.suite import SUITE\n@implements(SUITE)\ndef f(x): ...", "implements 'other'"),
        ("@implements(SUITE)\ndef f(x): ...", "cannot tell which suite"),
        ("@implements()\ndef f(x): ...", "needs the suite"),
    ],
)
def test_a_file_that_breaks_the_contract_is_named(project: Path, text: str, message: str) -> None:
    file = project / "impls" / "total" / "broken.py"
    file.write_text(text + "\n")
    with pytest.raises(DiscoveryError) as caught:
        load(project)
    assert message in str(caught.value)
    assert "broken.py" in str(caught.value)


def test_files_with_an_underscore_are_no_implementations(project: Path) -> None:
    (project / "impls" / "total" / "_shared.py").write_text("VALUE = 1\n")
    assert [listing.name for listing in load(project).listings] == ["plain"]


def test_one_from_outside_joins(project: Path, tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text((project / "impls" / "total" / "plain.py").read_text())
    listing = load(project, file).find("total", "mine")
    assert listing.origin == f"path {file}"


def test_a_name_that_exists_is_refused(project: Path, tmp_path: Path) -> None:
    file = tmp_path / "plain.py"
    file.write_text((project / "impls" / "total" / "plain.py").read_text())
    with pytest.raises(DiscoveryError, match="are both called total/plain"):
        load(project, file)


def test_an_outside_file_that_is_not_there(project: Path) -> None:
    with pytest.raises(DiscoveryError, match="there is no such file"):
        load(project, Path("nowhere.py"))


def test_a_suite_that_cannot_be_imported_is_named(project: Path) -> None:
    (project / "suites" / "total" / "suite.py").write_text("import json\njson.nothing\n")
    with pytest.raises(DiscoveryError, match=r"suite\.py: module 'json' has no attribute 'nothing'"):
        load(project)


@pytest.mark.parametrize(
    ("selection", "names"),
    [
        ((), ["plain", "second"]),
        (("total",), ["plain", "second"]),
        (("total/second",), ["second"]),
        (("t*/s*",), ["second"]),
        (("total/plain", "total/second"), ["plain", "second"]),
    ],
)
def test_selections(project: Path, add_implementation: Add, selection: tuple[str, ...], names: list[str]) -> None:
    add_implementation("second", RIGHT)
    assert [listing.name for listing in load(project).select(selection).listings] == names


def test_a_selection_that_matches_nothing_names_the_nearest(project: Path) -> None:
    with pytest.raises(SelectionError, match="did you mean 'total'"):
        load(project).select(["totl"])
    with pytest.raises(SelectionError, match="did you mean 'total/plain'"):
        load(project).select(["total/plane"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[tool.bakeoff\n", "not valid TOML"),
        ("[tool.bakeoff]\nsuitse = 'x'\n", "unknown key 'suitse'"),
        ("[tool.bakeoff]\nsuites = 3\n", "must be a folder name"),
        ("[tool.bakeoff]\nsuites = 'nowhere'\n", "which is not a folder"),
        ("[tool.bakeoff]\nsuites = '..'\n", "must lie inside"),
        ("[tool.bakeoff]\npreload = 'numpy'\n", "must be a list"),
    ],
)
def test_a_wrong_configuration_is_named(project: Path, text: str, message: str) -> None:
    (project / "pyproject.toml").write_text(text)
    with pytest.raises(ConfigError, match=message):
        find_project(project)


def test_no_project_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--project"):
        find_project(tmp_path)


def test_a_project_is_found_from_a_folder_inside_it(project: Path) -> None:
    assert find_project(project / "suites" / "total").root == project
