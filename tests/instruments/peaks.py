"""How the tests of peak memory read and fill memory."""

from __future__ import annotations

import inspect
import mmap
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from harness.instruments.memory import HostMemoryMeter

MIB = 2**20
Lap = Callable[[str], None]
Call = Callable[[Lap], object]


def peak_mib(call: Call, phase: str = "call") -> float:
    """A reading of the second call: the first takes what is done once in a process."""
    call(lambda phase: None)
    return HostMemoryMeter().measure(call)[phase] / MIB


def fresh_mib(scenario: Callable[[], float]) -> float:
    """What ``scenario`` returns, a function of a module, in an interpreter started for it."""
    root = Path(__file__).parents[2]
    file = Path(inspect.getfile(scenario)).relative_to(root).with_suffix("")
    program = f"from {'.'.join(file.parts)} import {scenario.__name__}\nprint({scenario.__name__}())"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=root, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return float(done.stdout)


def within(expected_mib: float, blocks: int = 1) -> object:
    """1 % plus 1 MiB, the latter for each process that holds part of it."""
    return pytest.approx(expected_mib, abs=0.01 * expected_mib + blocks)


def mapped(size_bytes: int) -> mmap.mmap:
    block = mmap.mmap(-1, size_bytes, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    touch(block)
    return block


def touch(block: mmap.mmap) -> None:
    np.frombuffer(block, dtype=np.uint8)[:: mmap.PAGESIZE] = 1
