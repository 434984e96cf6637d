"""One number of threads for all libraries, whichever was imported or started before."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("imports", ["torch, numba", "numba, torch", "torch"])
def test_every_library_obeys_and_starting_numba_does_not_undo_it(imports: str) -> None:
    program = f"""
import {imports}, os, sys
from harness.worker.threads import limit_threads
limit_threads(1)
import torch, threadpoolctl, numpy
assert torch.get_num_threads() == 1, torch.get_num_threads()
assert os.environ["OMP_NUM_THREADS"] == "1"
if "numba" in sys.modules:
    import numba
    @numba.njit(parallel=True)
    def total(x):
        s = 0.0
        for i in numba.prange(x.size):
            s += x[i]
        return s
    total(numpy.ones(1000))
    assert numba.get_num_threads() == 1
    assert torch.get_num_threads() == 1, torch.get_num_threads()
assert all(pool["num_threads"] == 1 for pool in threadpoolctl.threadpool_info()), threadpoolctl.threadpool_info()
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("change", "raised"),
    [
        ("pass", False),
        ("threadpoolctl.threadpool_limits(3)", True),
        ("torch.set_num_threads(3)", True),
        ("numba.set_num_threads(2)", True),
        ("os.sched_setaffinity(0, {FIRST, SECOND})", True),
        ("thread = threading.Thread(target=spread); thread.start(); started.wait()", True),
        ("torch.set_num_threads(2); torch.set_num_threads(1)", False),
    ],
)
def test_limits_that_were_raised_are_noticed(change: str, raised: bool) -> None:
    if len(os.sched_getaffinity(0)) < 2:
        pytest.skip("one CPU cannot be exceeded")
    program = f"""
import os
FIRST, SECOND = sorted(os.sched_getaffinity(0))[:2]
os.sched_setaffinity(0, {{FIRST}})  # before any library starts threads
os.environ["NUMBA_NUM_THREADS"] = "2"
import numba, threading, torch, threadpoolctl
from harness.worker.threads import allowed_cpus, has_raised_limits, limit_threads
started, end = threading.Event(), threading.Event()
def spread():
    os.sched_setaffinity(0, {{FIRST, SECOND}})
    started.set()
    end.wait()
limit_threads(1)
assert not has_raised_limits(1, {{FIRST}})
{change}
assert has_raised_limits(1, {{FIRST}}) is {raised}
end.set()
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
