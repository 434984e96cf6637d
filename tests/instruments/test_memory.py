"""Peak memory against known truths: what a call is known to hold is read within 1 % plus 1 MiB."""

from __future__ import annotations

import ctypes
import gc
import mmap
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import pytest
import torch

from harness.instruments.memory import CudaMemoryMeter, HostMemoryMeter, make_memory_meter
from harness.instruments.nvml import gpu_count
from tests.instruments.peaks import MIB, Lap, mapped, peak_mib, touch, within

LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.malloc.argtypes, LIBC.malloc.restype = [ctypes.c_size_t], ctypes.c_void_p
LIBC.free.argtypes = [ctypes.c_void_p]
LIBC.memset.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_size_t]


class MallocBlocks:
    """Memory of the C library, touched, in pieces; it is freed with the object."""

    def __init__(self, size_bytes: int, pieces: int = 1) -> None:
        self.addresses = [LIBC.malloc(size_bytes // pieces) for _ in range(pieces)]
        for address in self.addresses:
            LIBC.memset(address, 1, size_bytes // pieces)

    def __del__(self) -> None:
        for address in self.addresses:
            LIBC.free(address)


def huge(size_bytes: int) -> mmap.mmap:
    """A mapping for which huge pages are asked, as NumPy does for large arrays."""
    block = mmap.mmap(-1, size_bytes, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    block.madvise(mmap.MADV_HUGEPAGE)
    touch(block)
    return block


ALLOCATORS: dict[str, Callable[[int], object]] = {
    "NumPy": lambda size_bytes: np.ones(size_bytes, dtype=np.uint8),
    "torch": lambda size_bytes: torch.ones(size_bytes, dtype=torch.uint8),
    "malloc": MallocBlocks,
    "mmap": mapped,
    "huge pages": huge,
    # Pieces that go through the heap. malloc adds 8 bytes to each and rounds up to 16: 0.02 % here.
    "malloc in pieces": lambda size_bytes: MallocBlocks(size_bytes, size_bytes // (64 * 1024 - 1)),
    # Python's size class of 64 bytes fills its pools of 16 KiB but for 64 bytes; the list holds 8 bytes for each.
    "Python objects": lambda size_bytes: python_objects(size_bytes),
}


def python_objects(size_bytes: int) -> list[bytes]:
    count = size_bytes // (64 + 8)
    objects = [b""] * count
    for index in range(count):
        objects[index] = bytes(31)  # 33 bytes of its own, so 64
    return objects


@contextmanager
def work_done_before(kind: str) -> Iterator[None]:
    """What a process that has worked for long is like: much was freed, and what survived lies in between."""
    survivors: object
    if kind == "large arrays":
        arrays = [np.ones(size * MIB, dtype=np.uint8) for size in (200, 3, 50, 1, 90)]
        survivors = arrays[1::2]
        del arrays
    elif kind == "Python objects":
        survivors = [bytes(31) for _ in range(80 * MIB // 64)][::200]
    elif kind == "C blocks":
        blocks = [MallocBlocks(size) for size in (700, 5000, 60_000, 120_000) for _ in range(60 * MIB // size // 4)]
        survivors = blocks[::3]
        del blocks
    else:
        survivors = None
    gc.collect()
    yield
    del survivors


@pytest.mark.parametrize("released", [True, False])
@pytest.mark.parametrize("size_mib", [16, 256])
@pytest.mark.parametrize("allocator", list(ALLOCATORS))
def test_a_block_of_known_size_is_seen(allocator: str, size_mib: int, released: bool) -> None:
    """Released before the call returns, or held by what it returns."""

    def call(lap: Lap) -> object:
        block = ALLOCATORS[allocator](size_mib * MIB)
        if released:
            del block
        lap("call")
        return None if released else block

    assert peak_mib(call) == within(size_mib)


@pytest.mark.parametrize(
    ("allocator", "kind"),
    [*((name, "C blocks") for name in ALLOCATORS), ("NumPy", "large arrays"), ("Python objects", "Python objects")],
)
def test_a_process_that_has_worked_for_long_is_read_as_well(allocator: str, kind: str) -> None:
    """Freed memory that is used again makes a process no larger, and yet the call needs it."""

    def call(lap: Lap) -> None:
        block = ALLOCATORS[allocator](64 * MIB)
        lap("call")
        del block

    with work_done_before(kind):
        assert peak_mib(call) == within(64)


@pytest.mark.parametrize("kind", ["nothing", "large arrays", "Python objects", "C blocks"])
def test_a_call_that_allocates_nothing_reads_nothing(kind: str) -> None:
    with work_done_before(kind):
        assert peak_mib(lambda lap: lap("call")) < 1.0


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


@pytest.mark.parametrize("allocator", [name for name in ALLOCATORS if name != "Python objects"])
def test_an_earlier_phase_does_not_count_in_a_later_one(allocator: str) -> None:
    def call(lap: Lap) -> None:
        ALLOCATORS[allocator](64 * MIB)
        lap("first")
        block = ALLOCATORS[allocator](16 * MIB)
        lap("second")
        del block

    assert peak_mib(call, "first") == within(64)
    assert peak_mib(call, "second") == within(16)


def test_what_python_keeps_of_an_earlier_phase_counts_as_the_process_still_has_it() -> None:
    """CPython gives an arena back only when all of it is free: a later phase may read more than it needs, not less."""

    def call(lap: Lap) -> None:
        python_objects(64 * MIB)
        lap("first")
        block = python_objects(16 * MIB)
        lap("second")
        del block

    assert 16 - 1.16 < peak_mib(call, "second") < 64 + 1.64


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
