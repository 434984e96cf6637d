"""``pytest --bakeoff-against FILE`` in real sessions of pytest, whose clock is one that the benchmarks turn themselves.

With a clock of their own what they take is known to the last digit, on any machine and under any load.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import scipy.special  # noqa: F401

# Sessions in this process forget what they were the first to import, and NumPy's parts cannot be imported twice.
import harness.figures
import harness.history.comparing
import harness.history.sources  # noqa: F401
from tests.conftest import ROOT
from tests.history.building import asv_document

pytest.importorskip("pytest_benchmark")
pytest_plugins = ["pytester"]

CLOCK = """
import os
import random

now = 0.0
calls = 0
noise = random.Random()


def start(name):
    global calls
    calls = 0
    noise.seed(name + os.environ.get("SEED", ""))


def read():
    global now
    now += 1e-9
    return now


def spend(seconds):
    global now, calls
    calls += 1
    now += seconds * (1 + 0.01 * noise.uniform(-1, 1))
"""
TESTS = """
import os

import clock
import pytest

COST = float(os.environ.get("COST", "1"))


@pytest.mark.parametrize("number", range(20))
def test_steady(benchmark, number):
    benchmark(clock.spend, 1e-3)


def test_changed(benchmark):
    benchmark(clock.spend, 1e-3 * COST)


def test_of_a_suite(benchmark):
    benchmark.extra_info.update(suite="total", implementation="plain", case={"n": 10}, dtype="float64")
    benchmark(clock.spend, 2e-3 * COST)


def test_halves(benchmark):
    slow = 1.6 if COST == 1.2 else 1
    benchmark.pedantic(lambda: clock.spend(1e-3 * (slow if clock.calls > 50 else 1)), rounds=100)
"""
CONFTEST = """
import os

import clock


def pytest_runtest_setup(item):
    clock.start(item.name)


def pytest_benchmark_generate_machine_info(config):
    return {"machine": "x86_64", "cpu": {"brand_raw": os.environ.get("CPU", "A CPU"), "count": 2}}
"""
PLUGIN = ("-p", "harness.adapters.pytest_plugin")
MEASURING = ("--benchmark-only", "--benchmark-timer=clock.read", "--benchmark-max-time=0.2")


Measured = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module", autouse=True)
def own_session() -> Iterator[None]:
    """By these variables pytest-benchmark would take the sessions for workers of the one that runs this module."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("PYTEST_XDIST")]:
            patch.delenv(name)
        yield


def fill(folder: Path) -> Path:
    (folder / "clock.py").write_text(CLOCK)
    (folder / "test_it.py").write_text(TESTS)
    (folder / "conftest.py").write_text(CONFTEST)
    (folder / "pytest.ini").write_text("[pytest]\n")
    return folder


@pytest.fixture
def folder(pytester: pytest.Pytester) -> Path:
    return fill(pytester.path)


def session(
    folder: Path, *options: str, plugin: tuple[str, ...] = PLUGIN, path: str = "", **variables: str
) -> subprocess.CompletedProcess[str]:
    """A session of pytest in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "pytest", *plugin, "-p", "no:cacheprovider", *options],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, (path, str(folder), str(ROOT)))), **variables},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture
def here(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Measured:
    """A session of pytest in this process, which has imported what each would import."""

    def run(*options: str, **variables: str) -> subprocess.CompletedProcess[str]:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        pytester.syspathinsert(pytester.path)
        result = pytester.runpytest_inprocess(*PLUGIN, "-p", "no:cacheprovider", *options)
        return subprocess.CompletedProcess(options, result.ret, result.stdout.str(), result.stderr.str())

    return run


@pytest.fixture
def measured(here: Measured) -> Measured:
    return lambda *options, **variables: here(*MEASURING, *options, **variables)


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a session before the change left: all rounds, and quartiles alone."""
    folder = fill(tmp_path_factory.mktemp("before"))
    options = ("--benchmark-json=base.json", "--benchmark-autosave", "--benchmark-storage=saved")
    done = session(folder, *MEASURING, *options, SEED="1")
    assert done.returncode == 0, done.stdout
    return folder


@pytest.fixture
def base(folder: Path, stored: Path) -> Path:
    return Path(shutil.copy(stored / "base.json", folder))


def section(done: subprocess.CompletedProcess[str]) -> str:
    """What the plug-in says in the summary."""
    _, _, text = done.stdout.partition("bakeoff against base.json")
    return text


def test_the_same_code_passes(base: Path, measured: Measured) -> None:
    """Other noise, twenty-three cases: none is called slower or faster."""
    done = measured("--bakeoff-against", "base.json", SEED="2")
    assert done.returncode == 0, done.stdout
    assert "0 slower, 0 faster, 23 same, 0 undecided" in section(done)
    assert "one process each" in section(done)


def test_what_became_slower_fails_the_session_and_is_named(base: Path) -> None:
    """Two are a fifth slower; one that was slower for half of its time alone is not called so."""
    done = session(base.parent, *MEASURING, "--bakeoff-against", "base.json", SEED="2", COST="1.2")
    assert done.returncode == 1, done.stdout
    lines = [line for line in section(done).splitlines() if line.startswith("slower")]
    assert sorted(line.split(")")[1].split(";")[0].strip() for line in lines) == [
        "test_it.py::test_changed", "total/plain n=10",
    ]  # fmt: skip
    assert all(line.split()[1].startswith(("1.19", "1.20")) for line in lines)
    assert "2 slower, 0 faster, 20 same, 1 undecided" in section(done)
    assert "correlated" in section(done)
    assert "23 passed" in done.stdout


@pytest.mark.parametrize(
    ("cost", "options", "code"),
    [("0.8", (), 0), ("1.03", (), 0), ("1.2", ("--bakeoff-threshold=30",), 0), ("1.03", ("--bakeoff-threshold=1",), 1)],
)
def test_only_beyond_the_threshold_and_only_slower(
    base: Path, measured: Measured, cost: str, options: tuple[str, ...], code: int
) -> None:
    done = measured("--bakeoff-against", "base.json", "-k", "changed", *options, SEED="2", COST=cost)
    assert done.returncode == code, done.stdout
    assert "22 left out: only the base has it" in section(done)


def test_a_file_without_the_rounds(folder: Path, stored: Path, measured: Measured) -> None:
    (file,) = (stored / "saved").glob("*/*.json")
    shutil.copy(file, folder / "base.json")
    done = measured("--bakeoff-against", "base.json", SEED="2", COST="1.2")
    assert done.returncode == 1, done.stdout
    assert "only the quartiles of" in section(done)


def test_a_failed_test_still_fails(folder: Path, base: Path, measured: Measured) -> None:
    (folder / "test_bad.py").write_text("def test_bad(benchmark):\n    benchmark(lambda: 1 / 0)\n")
    done = measured("--bakeoff-against", "base.json", SEED="2")
    assert done.returncode == 1
    assert "0 slower" in section(done)
    assert "1 failed, 23 passed" in done.stdout


@pytest.mark.parametrize(
    ("options", "variables", "message"),
    [
        (("--bakeoff-against=none.json",), {}, "none.json cannot be read: No such file"),
        (("--bakeoff-against=clock.py",), {}, "clock.py is not JSON that can be read"),
        (("--bakeoff-against=asv.json",), {}, "asv.json is of asv, not of pytest-benchmark"),
        (("--bakeoff-against=.",), {}, "holds no run"),
        (("--bakeoff-against=session.json",), {"CPU": "Another"}, "different machines (cpu: 'Another' and 'A CPU')"),
        (("--bakeoff-against=session.json", "--bakeoff-threshold=-1"), {}, "--bakeoff-threshold -1: give per cent"),
        (("--bakeoff-against=session.json", "--bakeoff-threshold=nan"), {}, "--bakeoff-threshold nan"),
        (("--bakeoff-against=session.json", "-p", "no:benchmark"), {}, "install pytest-benchmark"),
    ],
)
def test_what_cannot_be_compared_is_refused_before_anything_runs(
    folder: Path, here: Measured, options: tuple[str, ...], variables: dict[str, str], message: str
) -> None:
    (folder / "asv.json").write_text(json.dumps(asv_document()))
    machine = {"machine": "x86_64", "cpu": {"brand_raw": "A CPU", "count": 2}}
    (folder / "session.json").write_text(json.dumps({"machine_info": machine, "benchmarks": []}))
    if "no:benchmark" in options:
        (folder / "conftest.py").unlink()
    done = here(*options, **variables)
    assert done.returncode == pytest.ExitCode.USAGE_ERROR, done.stdout + done.stderr
    assert message in done.stdout + done.stderr
    assert "passed" not in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_benchmarks_that_are_switched_off_are_refused(base: Path, here: Measured) -> None:
    done = here("--bakeoff-against=base.json", "--benchmark-disable")
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert "benchmarks are switched off" in done.stdout + done.stderr


def test_a_pytest_without_pytest_benchmark_is_left_alone(tmp_path: Path) -> None:
    """Nothing of this project but the plug-in itself is imported until a comparison is asked for."""
    (tmp_path / "test_plain.py").write_text(
        "import sys\n\n\ndef test_plain():\n"
        "    loaded = [name for name in sys.modules if name.split('.')[0] in ('harness', 'numpy', 'pandas')]\n"
        "    assert sorted(loaded) == ['harness', 'harness.adapters', 'harness.adapters.pytest_plugin']\n"
    )
    done = session(tmp_path, "--no-header", "-p", "no:benchmark", "-p", "no:hypothesispytest")
    assert done.returncode == 0, done.stdout
    assert "bakeoff" not in done.stdout


@pytest.mark.parametrize("plugin", [(), PLUGIN])
def test_it_comes_with_the_installation(tmp_path: Path, plugin: tuple[str, ...]) -> None:
    """By the entry point that pyproject.toml declares, and no less where it is named as well."""
    declared: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]
    lines = [f"{name} = {target}" for name, target in declared["pytest11"].items()]
    info = tmp_path / "installed" / "somebody-1.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: somebody\nVersion: 1\n")
    (info / "entry_points.txt").write_text("\n".join(["[pytest11]", *lines]) + "\n")
    done = session(tmp_path, "--help", plugin=plugin, path=str(info.parent))
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("--bakeoff-against=FILE") == 1
