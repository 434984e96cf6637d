"""Peak memory against known truths: what a call is known to hold is read within 1 % plus 1 MiB."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from harness.instruments.memory import CudaMemoryMeter, HostMemoryMeter, make_memory_meter
from harness.instruments.nvml import gpu_count
from tests.instruments.known_blocks import ALLOCATORS, KINDS, WORKED
from tests.instruments.peaks import MIB, Lap, peak_mib, within

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def readings() -> dict[str, float]:
    """MiB by the name of the reading, all taken in one fresh interpreter."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.instruments.known_blocks"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    read: dict[str, float] = json.loads(done.stdout)
    return read


@pytest.mark.parametrize("end", ["released", "held"])
@pytest.mark.parametrize("size_mib", [16, 128])
@pytest.mark.parametrize("allocator", ALLOCATORS)
def test_a_block_of_known_size_is_seen(readings: dict[str, float], allocator: str, size_mib: int, end: str) -> None:
    """Released before the call returns, or held by what it returns."""
    assert readings[f"{allocator}, {size_mib} MiB, {end}"] == within(size_mib)


@pytest.mark.parametrize(("allocator", "kind"), WORKED)
def test_a_process_that_has_worked_for_long_is_read_as_well(
    readings: dict[str, float], allocator: str, kind: str
) -> None:
    """Freed memory that is used again makes a process no larger, and yet the call needs it."""
    assert readings[f"{allocator} after {kind}"] == within(64)


@pytest.mark.parametrize("kind", KINDS)
def test_a_call_that_allocates_nothing_reads_nothing(readings: dict[str, float], kind: str) -> None:
    assert readings[f"nothing after {kind}"] < 1.0


@pytest.mark.parametrize("allocator", [name for name in ALLOCATORS if name != "Python objects"])
def test_an_earlier_phase_does_not_count_in_a_later_one(readings: dict[str, float], allocator: str) -> None:
    assert readings[f"{allocator}, first of two phases"] == within(64)
    assert readings[f"{allocator}, second of two phases"] == within(16)


def test_what_python_keeps_of_an_earlier_phase_counts_as_the_process_still_has_it(readings: dict[str, float]) -> None:
    """CPython gives an arena back only when all of it is free: a later phase may read more than it needs, not less."""
    assert 16 - 1.16 < readings["Python objects, second of two phases"] < 64 + 1.64


def test_what_was_held_before_does_not_count() -> None:
    held = np.ones(200 * MIB, dtype=np.uint8)

    def call(lap: Lap) -> None:
        held.sum()
        lap("call")

    assert peak_mib(call) < 1.0


def test_two_transients_one_after_the_other_count_once() -> None:
    def call(lap: Lap) -> None:
        for _ in range(2):
            np.ones(100 * MIB, dtype=np.uint8)
        lap("call")

    assert peak_mib(call) == within(100)


def test_what_an_earlier_phase_holds_counts_in_a_later_one() -> None:
    def call(lap: Lap) -> None:
        built = np.ones(64 * MIB, dtype=np.uint8)
        lap("build")
        query = np.ones(16 * MIB, dtype=np.uint8)
        lap("query")
        del built, query

    assert peak_mib(call, "query") == within(80)


def test_an_exception_in_the_call_comes_out_and_the_meter_goes_on() -> None:
    meter = HostMemoryMeter()

    def broken(lap: Lap) -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        meter.measure(broken)
    assert meter.measure(lambda lap: lap("call"))["call"] < MIB


class RecordedCuda:
    """The allocator's counters as torch shows them, for a device that is not here: one tuple per reset of the peaks."""

    def __init__(self, held: tuple[int, int], peaks: list[tuple[int, int]]) -> None:
        self._held = held
        self._peaks = peaks

    def synchronize(self) -> None: ...

    def empty_cache(self) -> None: ...

    def memory_allocated(self) -> int:
        return self._held[0]

    def memory_reserved(self) -> int:
        return self._held[1]

    def max_memory_allocated(self) -> int:
        return self._peaks[0][0]

    def max_memory_reserved(self) -> int:
        return self._peaks[0][1]

    def reset_peak_memory_stats(self) -> None:
        self._peaks = self._peaks[1:]


def test_on_a_gpu_the_allocator_counts_and_its_reserve_stands_beside_it() -> None:
    """Inputs of 100 bytes are held; the phases peak at 164 and 116."""
    meter = CudaMemoryMeter(RecordedCuda((100, 2000), [(0, 0), (164, 4000), (116, 6000), (0, 0)]))

    def call(lap: Lap) -> None:
        block = np.ones(16 * MIB, dtype=np.uint8)
        lap("build")
        lap("query")
        del block

    assert meter.measure(call) == {"build": 64.0, "query": 16.0}
    assert meter.beside["reserved_peak_bytes"] == 4000.0
    assert meter.beside["host_peak_bytes"] / MIB == within(16)


@pytest.mark.gpu
@pytest.mark.skipif(gpu_count() == 0, reason="needs an NVIDIA GPU")
@pytest.mark.parametrize("size_mib", [16, 64, 256])
def test_a_block_of_known_size_is_seen_on_a_gpu(size_mib: int) -> None:
    meter = make_memory_meter("cuda")
    held = torch.ones(10 * MIB, dtype=torch.uint8, device="cuda")

    def call(lap: Lap) -> None:
        torch.ones(size_mib * MIB, dtype=torch.uint8, device="cuda")
        lap("call")

    assert meter.measure(call)["call"] / MIB == within(size_mib)
    assert meter.beside["reserved_peak_bytes"] >= size_mib * MIB
    assert held.all()
