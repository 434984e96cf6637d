"""Known work: the same answer in however many passes, and one command that measures it alone."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from harness.known.__main__ import KINDS
from harness.known.impls.work import work
from harness.known.suites.same.suite import PASSES, make_inputs, reference

ROOT = Path(__file__).parents[2]


def known(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command with ``folder`` for its temporary files."""
    command = [sys.executable, "-m", "harness.known", *arguments]
    variables = os.environ | {"TMPDIR": str(folder)}
    return subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("passes", [1, 3])
def test_answers_do_not_depend_on_passes(kind: str, passes: int) -> None:
    inputs = make_inputs(np.random.default_rng(1), kind, 0, passes)
    for more in (0, 1):
        np.testing.assert_allclose(work(**inputs, more=more), reference(**inputs)["y"], rtol=1e-9)


def test_the_command_knows_every_kind() -> None:
    assert tuple(PASSES) == KINDS


def test_one_kind_alone_with_an_interval(tmp_path: Path) -> None:
    done = known(tmp_path, "python", "--json")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    found = json.loads(done.stdout)
    assert 0 < found["low_ns"] <= found["call_ns"] <= found["high_ns"] < math.inf
    assert "ms (95 % interval" in known(tmp_path, "python").stdout
    assert list(tmp_path.iterdir()) == []


def test_what_it_does_not_know_is_named(tmp_path: Path) -> None:
    done = known(tmp_path, "gpu")
    assert done.returncode == 2
    assert "'gpu'" in done.stderr
    assert "arithmetic" in done.stderr
