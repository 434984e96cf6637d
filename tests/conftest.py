"""Fixtures that several test modules share: a small project in a folder, and the program run as a user runs it."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).parents[1]

# What takes long on a busy machine is no failure.
settings.register_profile("any_machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any_machine")


def pytest_configure() -> None:
    """Compiled code goes where workers look for it: compiling all kernels takes minutes.

    What is imported and collected stays, and so do most of the objects that a compiler makes: without looking for
    rubbish among them all the time collecting the tests takes a quarter less, and compiling an eighth.
    """
    gc.disable()
    from harness.config import find_project
    from harness.discovery import load_catalogue
    from harness.worker.main import CACHE_FOLDER

    folder = ROOT / CACHE_FOLDER / "numba" / load_catalogue(find_project(ROOT)).shared_code_hash
    os.environ.setdefault("NUMBA_CACHE_DIR", str(folder))


def pytest_collection_finish() -> None:
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000)
    gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests of one suite run in the same process, one after the other, so that each kernel is compiled once.

    So do those that share readings which take long.
    """
    suites = [folder.name for folder in (ROOT / "suites").iterdir()]
    for item in items:
        parameters = item.callspec.params if isinstance(item, pytest.Function) and hasattr(item, "callspec") else {}
        about = parameters.get("name") if item.path.stem == "test_conformance" else item.path.stem.removeprefix("test_")
        others = {"tree_core": "gbdt", "memory": "memory"}
        group = next((suite for suite in suites if str(about).startswith(suite)), others.get(str(about)))
        if group:
            item.add_marker(pytest.mark.xdist_group(group))


SUITE = '''
"""Sum of shifted numbers and the numbers centred."""
from harness.contract import Output, Suite, Tolerance, grid

TOLERANCE = Tolerance({"float32": 1e-5, "float64": 1e-12})


def make_inputs(rng, n):
    return {"x": rng.normal(size=n) + 1.0, "shift": 2.0}


def reference(x, shift):
    return {"total": x.sum() + shift, "centred": x - x.mean()}


SUITE = Suite(
    name="total",
    title="Sum and centre",
    cases=grid(n=[10, 100, 1000]) + grid("full", n=[100_000]),
    make_inputs=make_inputs,
    reference=reference,
    phases={"sum": (Output("total", TOLERANCE),), "centre": (Output("centred", TOLERANCE),)},
    baseline="plain",
    naive="plain",
    axis="n",
    call_timeout_s=3.0,
)
'''

PLAIN = '''
"""NumPy, one pass each."""
from harness.contract import implements
from suites.total.suite import SUITE


@implements(SUITE, dtypes=("float32", "float64"))
def total(x, shift):
    yield x.sum() + x.dtype.type(shift)
    yield x - x.mean()
'''


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Path]:
    """A project with one suite, ``total``, and one right implementation, ``plain``; its path holds a space.

    Its packages are called like this repository's; those are put back afterwards, since compiled functions look for
    their modules by name.
    """
    before = {name: module for name, module in sys.modules.items() if name.split(".")[0] in ("suites", "impls")}
    root = tmp_path / "a project"
    (root / "suites" / "total").mkdir(parents=True)
    (root / "impls" / "total").mkdir(parents=True)
    (root / "pyproject.toml").write_text("[tool.bakeoff]\npreload = ['numpy']\n")
    (root / "suites" / "total" / "suite.py").write_text(SUITE)
    (root / "impls" / "total" / "plain.py").write_text(PLAIN)
    yield root
    for name in [name for name in sys.modules if name.split(".")[0] in ("suites", "impls")]:
        del sys.modules[name]
    sys.modules.update(before)


@pytest.fixture
def add_implementation(project: Path) -> Callable[..., Path]:
    """Write an implementation of ``total`` whose body is given, and return its file."""

    def add(name: str, body: str, header: str = "", arguments: str = "") -> Path:
        lines = "\n".join(f"    {line}" for line in body.strip().splitlines())
        file = project / "impls" / "total" / f"{name}.py"
        file.write_text(
            f'"""{name}."""\n{header}\nfrom harness.contract import implements\n'
            f"from suites.total.suite import SUITE\n\n\n@implements(SUITE{arguments})\n"
            f"def total(x, shift):\n{lines}\n"
        )
        return file

    return add


Bakeoff = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def bakeoff(project: Path) -> Bakeoff:
    """Run the program in the project's folder as a user does, in a process of its own."""

    def run(*arguments: str, folder: Path = project, timeout: float = 120) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "harness", *arguments],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    return run


def start_program(folder: Path, *arguments: str, stdout: int = subprocess.PIPE) -> subprocess.Popen[str]:
    """The program in ``folder``, in a session of its own, for tests that send it signals."""
    return subprocess.Popen(
        [sys.executable, "-m", "harness", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
