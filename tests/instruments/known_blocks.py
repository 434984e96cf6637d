"""Readings of peak memory whose truths are known, taken in a process of their own.

A process in which many tests ran has threads and gigabytes of its own, which make readings slow and now and then wrong
by what those do meanwhile.
"""

from __future__ import annotations

import ctypes
import gc
import json
import mmap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import numpy as np
import torch

from tests.instruments.peaks import MIB, Lap, mapped, peak_mib, touch

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


def block(allocator: str, size_mib: int, released: bool) -> float:
    """A block that is released before the call returns, or held by what it returns."""

    def call(lap: Lap) -> object:
        block = ALLOCATORS[allocator](size_mib * MIB)
        if released:
            del block
        lap("call")
        return None if released else block

    return peak_mib(call)


def block_after(allocator: str, kind: str) -> float:
    """A block of 64 MiB in a process that has worked for long."""

    def call(lap: Lap) -> None:
        block = ALLOCATORS[allocator](64 * MIB)
        lap("call")
        del block

    with work_done_before(kind):
        return peak_mib(call)


def nothing_after(kind: str) -> float:
    with work_done_before(kind):
        return peak_mib(lambda lap: lap("call"))


def two_phases(allocator: str, phase: str) -> float:
    """64 MiB in the first phase, freed there, and 16 MiB in the second."""

    def call(lap: Lap) -> None:
        block = ALLOCATORS[allocator](64 * MIB)
        del block
        lap("first")
        block = ALLOCATORS[allocator](16 * MIB)
        lap("second")
        del block

    return peak_mib(call, phase)


WORKED = [*((name, "C blocks") for name in ALLOCATORS), ("NumPy", "large arrays"), ("Python objects", "Python objects")]
KINDS = ("nothing", "large arrays", "Python objects", "C blocks")
READINGS: dict[str, Callable[[], float]] = {
    **{
        f"{name}, {size} MiB, {end}": partial(block, name, size, end == "released")
        for name in ALLOCATORS
        for size in (16, 128)
        for end in ("released", "held")
    },
    **{f"{name} after {kind}": partial(block_after, name, kind) for name, kind in WORKED},
    **{f"nothing after {kind}": partial(nothing_after, kind) for kind in KINDS},
    **{
        f"{name}, {phase} of two phases": partial(two_phases, name, phase)
        for name in ALLOCATORS
        for phase in ("first", "second")
    },
}

if __name__ == "__main__":
    print(json.dumps({name: read_mib() for name, read_mib in READINGS.items()}))
