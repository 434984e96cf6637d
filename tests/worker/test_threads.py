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


def test_limits_that_were_raised_are_noticed() -> None:
    if len(os.sched_getaffinity(0)) < 2:
        pytest.skip("one CPU cannot be exceeded")
    program = """
import os
FIRST, SECOND = sorted(os.sched_getaffinity(0))[:2]
os.sched_setaffinity(0, {FIRST})  # before any library starts threads
os.environ["NUMBA_NUM_THREADS"] = "2"
import numba, threading, torch, threadpoolctl
from harness.worker.threads import has_raised_limits, limit_threads

def is_noticed(change):
    limit_threads(1)
    os.sched_setaffinity(0, {FIRST})
    assert not has_raised_limits(1, {FIRST})
    change()
    return has_raised_limits(1, {FIRST})

started, end = threading.Event(), threading.Event()
def spread():
    os.sched_setaffinity(0, {FIRST, SECOND})
    started.set()
    end.wait()

assert is_noticed(lambda: threadpoolctl.threadpool_limits(3))
assert is_noticed(lambda: torch.set_num_threads(3))
assert is_noticed(lambda: numba.set_num_threads(2))
assert is_noticed(lambda: os.sched_setaffinity(0, {FIRST, SECOND}))
assert not is_noticed(lambda: (torch.set_num_threads(2), torch.set_num_threads(1)))
assert is_noticed(lambda: (threading.Thread(target=spread).start(), started.wait()))
end.set()
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
