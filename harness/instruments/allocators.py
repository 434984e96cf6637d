"""Putting the process's allocators in order before its growth is read.

A process that has worked for a while holds freed blocks. What a call takes from them does not make the process grow,
so it would go unseen. Pages that lie wholly in freed blocks are given back to the kernel; freed blocks smaller than
that are occupied while the reading lasts.
"""

from __future__ import annotations

import bisect
import ctypes
import gc
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

_M_TRIM_THRESHOLD = -1
_M_MMAP_THRESHOLD = -3
# glibc's own value in a fresh process; it would otherwise rise with what the process has freed (mallopt(3)).
_MMAP_THRESHOLD_BYTES = 128 * 1024
_CHUNK_HEADER_BYTES = 8
_CHUNK_FLAGS = 7  # glibc marks chunks in the lowest bits of their size
# A bin can hold many sizes, of which only the smallest and the largest are known: the rest takes more rounds.
_HEAP_ROUNDS = 200
_LEFT_OVER_BYTES = 64 * 1024
_PYTHON_SIZE_CLASSES = range(512, 32, -16)
_MAPS = Path("/proc/self/maps")


def trim_heap() -> None:
    """Give the pages of freed blocks back to the kernel (malloc_trim(3)); without glibc nothing is done."""
    libc = ctypes.CDLL(None)
    if hasattr(libc, "malloc_trim"):
        libc.malloc_trim(0)


@contextmanager
def nothing_to_reuse() -> Iterator[None]:
    """While it lasts, what is allocated on this thread takes new pages, as it would in a fresh process.

    Known limits: heaps of other threads are trimmed but not occupied, and an allocator of a library's own (Arrow's
    pool, say) that keeps what was freed is not seen.
    """
    gc.collect()
    _fix_thresholds()
    trim_heap()
    python_blocks = _occupy_python_pools()
    trim_heap()
    heap_blocks = _occupy_heap()
    try:
        yield
    finally:
        del python_blocks
        _free(heap_blocks)


def _fix_thresholds() -> None:
    """Have freed blocks at the heap's end go back at once, and large ones always be mappings of their own."""
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):
        libc.mallopt(_M_MMAP_THRESHOLD, _MMAP_THRESHOLD_BYTES)
        libc.mallopt(_M_TRIM_THRESHOLD, 0)


def _occupy_python_pools() -> list[object]:
    """Blocks of each of Python's size classes (Objects/obmalloc.c), up to the first that lies in newly mapped memory.

    Python takes a new arena only when the older ones have no room for the class.
    """
    mapped = _MappedMemory()
    blocks: list[object] = []
    empty = b"".__sizeof__()
    makers: list[Callable[[], object]] = [
        *(_bytes_maker(size - empty) for size in _PYTHON_SIZE_CLASSES),
        lambda: float(1.5) * 1.5,  # noqa: UP018 - an object of 24 bytes that is no constant of this code
        object,
    ]
    for make in makers:
        while True:
            block = make()
            blocks.append(block)
            if id(block) not in mapped:
                break
    return blocks


def _bytes_maker(length: int) -> Callable[[], object]:
    return lambda: bytes(length)


def _occupy_heap() -> list[int]:
    """A block in every freed chunk of glibc's main heap; their addresses."""
    libc = ctypes.CDLL(None)
    if not hasattr(libc, "malloc_info"):
        return []
    malloc = libc.malloc
    malloc.argtypes, malloc.restype = [ctypes.c_size_t], ctypes.c_void_p
    blocks: list[int] = []
    for _ in range(_HEAP_ROUNDS):
        bins = _freed_chunks(libc)
        if sum(each.total_bytes for each in bins) <= _LEFT_OVER_BYTES:
            break
        for each in bins:
            sizes_bytes = [each.largest_bytes] + [each.smallest_bytes] * (each.chunks - 1)
            blocks += [malloc(size_bytes - _CHUNK_HEADER_BYTES) for size_bytes in sizes_bytes]
    return blocks


def _free(blocks: list[int]) -> None:
    libc = ctypes.CDLL(None)
    free = libc.free
    free.argtypes, free.restype = [ctypes.c_void_p], None
    for block in blocks:
        free(block)


class _Bin(NamedTuple):
    smallest_bytes: int
    largest_bytes: int
    total_bytes: int
    chunks: int


def _freed_chunks(libc: Any) -> list[_Bin]:
    """The main heap's freed chunks in glibc's bins, the largest first (malloc_info(3))."""
    heap = _malloc_info(libc).partition("</heap>")[0]
    found = re.findall(r'<(?:size|unsorted) from="(\d+)" to="(\d+)" total="(\d+)" count="(\d+)"', heap)
    bins = [
        _Bin(int(smallest) & ~_CHUNK_FLAGS, int(largest) & ~_CHUNK_FLAGS, int(total), int(count))
        for smallest, largest, total, count in found
        if int(count)
    ]
    return sorted(bins, reverse=True)


def _malloc_info(libc: Any) -> str:
    libc.open_memstream.restype = ctypes.c_void_p
    libc.malloc_info.argtypes = [ctypes.c_int, ctypes.c_void_p]
    libc.fclose.argtypes = [ctypes.c_void_p]
    text, length = ctypes.c_void_p(), ctypes.c_size_t()
    stream = libc.open_memstream(ctypes.byref(text), ctypes.byref(length))
    libc.malloc_info(0, stream)
    libc.fclose(stream)
    answer = ctypes.string_at(text.value or 0, length.value).decode()
    _free([text.value or 0])
    return answer


class _MappedMemory:
    """The addresses that were mapped when it was made."""

    def __init__(self) -> None:
        ranges = re.findall(r"^(\w+)-(\w+) ", _MAPS.read_text(), re.MULTILINE)
        self._begins = [int(begin, 16) for begin, _ in ranges]
        self._ends = [int(end, 16) for _, end in ranges]

    def __contains__(self, address: int) -> bool:
        index = bisect.bisect_right(self._begins, address) - 1
        return index >= 0 and address < self._ends[index]
