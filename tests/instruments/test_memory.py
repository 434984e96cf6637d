"""Peak memory against known allocations."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import numpy as np
import pytest

from harness.instruments.memory import HostMemoryMeter

MIB = 2**20
Lap = Callable[[str], None]


def peak_mib(call: Callable[[Lap], object], phase: str = "call") -> float:
    meter = HostMemoryMeter()
    meter.measure(call)
    return meter.measure(call)[phase] / MIB


@pytest.mark.parametrize("size_mib", [1, 16, 64, 256])
def test_a_block_of_known_size_is_seen(size_mib: int) -> None:
    def call(lap: Lap) -> None:
        block = np.ones(size_mib * MIB, dtype=np.uint8)
        lap("call")
        del block

    assert peak_mib(call) == pytest.approx(size_mib, abs=1.0)


def test_a_transient_peak_is_seen() -> None:
    """The block is gone when the call ends."""

    def call(lap: Lap) -> None:
        np.ones(100 * MIB, dtype=np.uint8)
        lap("call")

    assert peak_mib(call) == pytest.approx(100, abs=1.5)


def test_what_was_held_before_does_not_count() -> None:
    held = np.ones(200 * MIB, dtype=np.uint8)

    def call(lap: Lap) -> None:
        held.sum()
        lap("call")

    assert peak_mib(call) < 2.0


def test_an_earlier_phase_does_not_count_in_a_later_one() -> None:
    def call(lap: Lap) -> None:
        np.ones(100 * MIB, dtype=np.uint8)
        lap("first")
        block = np.ones(10 * MIB, dtype=np.uint8)
        lap("second")
        del block

    assert peak_mib(call, "second") == pytest.approx(10, abs=1.5)


def test_processes_that_the_call_starts_are_included() -> None:
    """A child that holds 80 MiB and waits to be told to end."""
    program = "import sys; block = b'x' * (80 * 2**20); print('ready', flush=True); sys.stdin.read()"

    def call(lap: Lap) -> None:
        with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
            assert child.stdout is not None
            child.stdout.readline()
            lap("call")

    assert 80 <= peak_mib(call) <= 110
