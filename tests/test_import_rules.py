"""The architecture as imports: which package may know of which, and that the parent process stays light."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

LIGHT = "numpy"
"""The only third-party package that suites and the contract may import at module level."""

HEAVY = ("torch", "numba", "triton", "sklearn", "skimage", "statsmodels", "scipy")

# Package: what of this project it must not import, at any level of a file.
FORBIDDEN: dict[str, tuple[str, ...]] = {
    "harness.contract": (
        "harness.cli", "harness.discovery", "harness.worker", "harness.runner", "harness.instruments", "harness.store",
        "harness.records", "harness.statistics", "harness.claims", "harness.reporting", "harness.adapters",
        "suites", "impls",
    ),
    "harness.discovery": (
        "harness.worker", "harness.runner", "harness.store", "harness.loading", "harness.claims",
        "harness.reporting",
    ),
    "harness.instruments": (
        "harness.worker", "harness.runner", "harness.store", "harness.loading", "harness.claims",
        "harness.reporting",
    ),
    "harness.worker": (
        "pandas", "harness.store", "harness.loading", "harness.tables", "harness.statistics",
        "harness.claims", "harness.reporting",
        "harness.runner", "harness.plan",
    ),
    "harness.runner": ("pandas", "harness.tables", "harness.claims", "harness.reporting"),
    "harness.gate": (
        "harness.reporting", "harness.store", "harness.tables", "pandas", "rich", "typer",
    ),
    "harness.statistics": (
        "os", "pathlib", "io", "sys", "json", "subprocess", "harness.store", "harness.loading", "harness.records",
        "harness.contract", "pandas",
    ),
    "harness.claims": (
        "harness.runner", "harness.worker", "harness.store", "harness.loading", "harness.reporting", "pandas",
    ),
    "harness.history": (
        "harness.runner", "harness.worker", "harness.reporting", "harness.claims", "asv", "pytest_benchmark",
    ),
    "harness.reproducing": (
        "harness.runner", "harness.worker", "harness.instruments", "harness.reporting", "harness.gate",
    ),
    "suites": (
        "impls", "harness.worker", "harness.runner", "harness.instruments", "harness.store", "harness.statistics",
        "harness.claims", "harness.reporting", "harness.discovery", "harness.records", "harness.loading",
    ),
    "impls": (
        "harness.worker", "harness.runner", "harness.instruments", "harness.store", "harness.statistics",
        "harness.claims", "harness.reporting", "harness.discovery", "harness.records", "harness.loading",
        "pandas",
    ),
}  # fmt: skip

ENTRANCES = ("harness.cli", "harness.adapters")


def module_name(file: Path, root: Path) -> str:
    parts = file.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(file: Path, *, module_level: bool = False) -> Iterator[str]:
    """Every module that the file imports; only those at module level if asked."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    for node in tree.body if module_level else ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def within(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


def violations(root: Path) -> list[str]:
    """What breaks a rule in the checkout at ``root``, as ``importer imports imported``."""
    found = []
    for file in sorted(file for top in ("harness", "suites", "impls") for file in (root / top).rglob("*.py")):
        module = module_name(file, root)
        imported = set(imports_of(file))
        forbidden = [
            name for package, names in FORBIDDEN.items() if within(module, package) for name in names
        ]  # fmt: skip
        if not any(within(module, entrance) for entrance in (*ENTRANCES, "harness.__main__")):
            forbidden += ENTRANCES
            forbidden += [] if within(module, "harness.gate") else ["harness.gate"]
        if within(module, "suites") or within(module, "harness.contract"):
            forbidden += [
                name for name in HEAVY if name in {top.split(".")[0] for top in imports_of(file, module_level=True)}
            ]
        found += [f"{module} imports {name}" for name in forbidden if any(within(each, name) for each in imported)]
        topic = module.split(".")[1] if module.count(".") else ""
        if within(module, "impls") and topic != "building_blocks":
            found += [
                f"{module} imports {each}"
                for each in imported
                if (within(each, "suites") and each != "suites" and each.split(".")[1] != topic)
                or (within(each, "impls") and each != "impls" and each.split(".")[1] != "building_blocks")
            ]
    return found


def test_every_import_keeps_the_rules() -> None:
    assert violations(ROOT) == []


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("harness/worker/extra.py", "import pandas"),
        ("harness/statistics/extra.py", "from pathlib import Path"),
        ("harness/store.py", "from harness.cli import app"),
        ("harness/contract/extra.py", "import torch"),
        ("harness/history/extra.py", "from asv.results import Results"),
        ("suites/knn/extra.py", "import sklearn.neighbors"),
        ("suites/knn/other.py", "from impls.knn import numba_kdtree"),
        ("impls/knn/extra.py", "from suites.attention.suite import SUITE"),
        ("impls/knn/other.py", "from impls.gbdt import lightgbm"),
        ("impls/knn/third.py", "from harness.runner import run"),
        ("harness/runner/extra.py", "from harness.gate import rules"),
        ("harness/gate/extra.py", "from harness.cli import app"),
    ],
)
def test_the_guard_can_fail(tmp_path: Path, path: str, line: str) -> None:
    file = tmp_path / path
    file.parent.mkdir(parents=True)
    file.write_text(f'"""A file that breaks a rule."""\n{line}\n')
    assert len(violations(tmp_path)) >= 1


def test_the_guard_passes_a_clean_tree(tmp_path: Path) -> None:
    file = tmp_path / "impls" / "knn" / "fine.py"
    file.parent.mkdir(parents=True)
    file.write_text("import numpy\nfrom harness.contract import implements\nfrom suites.knn.suite import SUITE\n")
    assert violations(tmp_path) == []


@pytest.mark.parametrize("command", [["--help"], ["list"], ["list", "--json"]])
def test_the_parent_imports_nothing_heavy(command: list[str]) -> None:
    """What ``--help`` and ``list`` import is what they cost."""
    program = (
        "import sys\n"
        f"sys.argv = ['bakeoff', *{command!r}]\n"
        "from harness.cli import main\n"
        "try:\n    main()\n"
        "except SystemExit as end:\n    assert not end.code, end.code\n"
        f"heavy = sorted(set({(*HEAVY, 'pandas', 'seaborn')!r}) & set(sys.modules))\n"
        "heavy += [name for name in sys.modules if name.startswith('impls.')]\n"
        "print('HEAVY', heavy, file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "HEAVY []" in done.stderr
