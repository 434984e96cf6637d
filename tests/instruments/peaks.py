"""How the tests of peak memory read and fill memory."""

from __future__ import annotations

import mmap
from collections.abc import Callable

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


def within(expected_mib: float, blocks: int = 1) -> object:
    """1 % plus 1 MiB, the latter for each process that holds part of it."""
    return pytest.approx(expected_mib, abs=0.01 * expected_mib + blocks)


def mapped(size_bytes: int) -> mmap.mmap:
    block = mmap.mmap(-1, size_bytes, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    touch(block)
    return block


def touch(block: mmap.mmap) -> None:
    np.frombuffer(block, dtype=np.uint8)[:: mmap.PAGESIZE] = 1
