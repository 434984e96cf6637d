"""Peak memory against known truths: what a call is known to hold is read within 1 % plus 1 MiB."""

from __future__ import annotations

import ctypes
import gc
import mmap
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest
import torch

from harness.instruments.memory import CudaMemoryMeter, HostMemoryMeter, make_memory_meter
from harness.instruments.nvml import gpu_count

MIB = 2**20
Lap = Callable[[str], None]
Call = Callable[[Lap], object]

LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.malloc.argtypes, LIBC.malloc.restype = [ctypes.c_size_t], ctypes.c_void_p
LIBC.free.argtypes = [ctypes.c_void_p]
LIBC.memset.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_size_t]


def peak_mib(call: Call, phase: str = "call") -> float:
    """A reading of the second call: the first takes what is done once in a process."""
    call(lambda phase: None)
    return HostMemoryMeter().measure(call)[phase] / MIB


def within(expected_mib: float, blocks: int = 1) -> object:
    """1 % plus 1 MiB, the latter for each process that holds part of it."""
    return pytest.approx(expected_mib, abs=0.01 * expected_mib + blocks)


class MallocBlocks:
    """Memory of the C library, touched, in pieces; it is freed with the object."""

    def __init__(self, size_bytes: int, pieces: int = 1) -> None:
        self.addresses = [LIBC.malloc(size_bytes // pieces) for _ in range(pieces)]
        for address in self.addresses:
            LIBC.memset(address, 1, size_bytes // pieces)

    def __del__(self) -> None:
        for address in self.addresses:
            LIBC.free(address)


def mapped(size_bytes: int) -> mmap.mmap:
    block = mmap.mmap(-1, size_bytes, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    touch(block)
    return block


def huge(size_bytes: int) -> mmap.mmap:
    """A mapping for which huge pages are asked, as NumPy does for large arrays."""
    block = mmap.mmap(-1, size_bytes, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    block.madvise(mmap.MADV_HUGEPAGE)
    touch(block)
    return block


def touch(block: mmap.mmap) -> None:
    np.frombuffer(block, dtype=np.uint8)[:: mmap.PAGESIZE] = 1


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
@pytest.mark.parametrize("size_mib", [16, 64, 256])
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


@pytest.mark.parametrize("kind", ["large arrays", "Python objects", "C blocks"])
@pytest.mark.parametrize("allocator", list(ALLOCATORS))
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


class Forked:
    """A process forked from this one that does ``work`` and then waits to be ended."""

    def __init__(self, work: Callable[[], object]) -> None:
        ready, tell = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            held = work()
            os.write(tell, b"x")
            signal.pause()
            del held
            os._exit(0)
        os.close(tell)
        assert os.read(ready, 1) == b"x"
        os.close(ready)

    def end(self) -> None:
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)


def forked_call(*works: Callable[[], object]) -> Call:
    def call(lap: Lap) -> None:
        children = [Forked(work) for work in works]
        lap("call")
        for child in children:
            child.end()

    return call


def own_pages_mib(children: int) -> float:
    """What forked copies of this process hold that do nothing: pages in which they count references, and stacks."""
    idle_mib = peak_mib(forked_call(*[lambda: None] * children))
    assert idle_mib < 8 * children
    return idle_mib


def test_two_forked_children_are_read_together() -> None:
    """They inherit what this process holds, which is not theirs."""
    held = np.ones(100 * MIB, dtype=np.uint8)
    peak = peak_mib(forked_call(*[lambda: mapped(64 * MIB)] * 2))
    assert peak - own_pages_mib(2) == within(128, blocks=2)
    assert held.all()


def test_a_forked_child_that_writes_to_what_it_inherits_counts_with_the_copies() -> None:
    """No new page is resident, but one is copied for each that it writes to."""
    held = np.ones(100 * MIB, dtype=np.uint8)

    def write() -> None:
        held[: 64 * MIB] += 1

    assert peak_mib(forked_call(write)) - own_pages_mib(1) == within(64)


def test_memory_that_children_share_counts_once() -> None:
    shared = mmap.mmap(-1, 64 * MIB)

    assert peak_mib(forked_call(*[lambda: touch(shared)] * 2)) - own_pages_mib(2) == within(64, blocks=2)


def test_memory_that_a_child_shares_with_this_process_counts_once() -> None:
    def call(lap: Lap) -> None:
        shared = mmap.mmap(-1, 64 * MIB)
        touch(shared)
        child = Forked(lambda: touch(shared))
        lap("call")
        child.end()

    assert peak_mib(call) - own_pages_mib(1) == within(64, blocks=2)


def test_what_a_child_freed_again_counts() -> None:
    """The child's own high-water mark tells, however short the peak was."""

    def transient() -> None:
        mapped(64 * MIB).close()

    assert peak_mib(forked_call(transient)) - own_pages_mib(1) == within(64)


def test_peaks_that_do_not_coincide_are_not_added() -> None:
    """First this process, then its child; half a second apart, a hundred looks."""

    def call(lap: Lap) -> None:
        mapped(64 * MIB).close()
        subprocess.run(["sleep", "0.5"], check=True)
        child = Forked(lambda: mapped(64 * MIB))
        lap("call")
        child.end()

    assert peak_mib(call) - own_pages_mib(1) == within(64, blocks=2)


def test_a_child_from_before_the_call_counts_with_its_growth() -> None:
    """As a pool of processes that an earlier call has started does."""
    child = Forked(lambda: mapped(64 * MIB))

    def call(lap: Lap) -> None:
        lap("call")

    try:
        assert peak_mib(call) < 1.0
    finally:
        child.end()


def hold_64_mib(ready: object, done: object) -> None:
    block = np.ones(64 * MIB, dtype=np.uint8)
    ready.release()  # type: ignore[attr-defined]
    done.acquire()  # type: ignore[attr-defined]
    del block


def test_children_of_multiprocessing_are_read() -> None:
    context = get_context("fork")

    def call(lap: Lap) -> None:
        ready, done = context.Semaphore(0), context.Semaphore(0)
        children = [context.Process(target=hold_64_mib, args=(ready, done)) for _ in range(2)]
        for child in children:
            child.start()
        for _ in children:
            ready.acquire()
        lap("call")
        for _ in children:
            done.release()
        for child in children:
            child.join()

    meter = HostMemoryMeter()
    meter.measure(call)
    assert meter.measure(call)["call"] / MIB - own_pages_mib(2) == within(128, blocks=2)
    assert meter.saw_children
    assert meter.beside["children_peak_bytes"] / MIB - own_pages_mib(2) == within(128, blocks=2)


def interpreters(count: int, size_mib: int) -> Call:
    program = (
        f"import mmap, sys; block = mmap.mmap(-1, {max(size_mib, 1)} * 2**20)\n"
        f"for page in range(0, {size_mib} * 2**20, mmap.PAGESIZE): block[page] = 1\n"
        "print('ready', flush=True); sys.stdin.read()"
    )

    def call(lap: Lap) -> None:
        children = [
            subprocess.Popen([sys.executable, "-I", "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            for _ in range(count)
        ]
        for child in children:
            assert child.stdout is not None
            child.stdout.readline()
        lap("call")
        for child in children:
            child.communicate()

    return call


def test_fresh_interpreters_count_with_what_they_are_themselves() -> None:
    """Two that hold 64 MiB each are 128 MiB more than two that hold nothing, and those are a few MiB each."""
    empty_mib = peak_mib(interpreters(2, 0))
    assert 2 * 1 < empty_mib < 2 * 20
    assert peak_mib(interpreters(2, 64)) - empty_mib == within(128, blocks=2)


def test_a_process_about_to_be_started_is_not_its_parent_again(tmp_path: Path) -> None:
    """Between vfork and exec a process runs in the memory of the one that starts it; this one is held there."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    opening = [(os.POSIX_SPAWN_OPEN, 0, str(fifo), os.O_RDONLY, 0)]

    def spawn_beside_64_mib() -> None:
        block = mapped(64 * MIB)
        os.posix_spawn("/bin/true", ["true"], {}, file_actions=opening)  # waits for a writer
        del block

    def call(lap: Lap) -> None:
        child = os.fork()
        if child == 0:
            spawn_beside_64_mib()
            os._exit(0)
        while not Path(f"/proc/{child}/task/{child}/children").read_text():
            pass
        lap("call")
        fifo.open("wb").close()
        os.waitpid(child, 0)

    assert peak_mib(call) - own_pages_mib(1) == within(64, blocks=2)


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
