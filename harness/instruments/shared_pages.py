"""Which pages of shared memory a process has, read from its page table (pagemap in proc_pid_pagemap(5)).

The same is in smaps, summed up, but for that the kernel walks all of a process's mappings: with torch and SciPy loaded
there are more than a thousand, and one reading takes 30 ms. Here only shared ones are walked, and little is held
meanwhile, since the process that reads measures its own memory as well.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

_PROC = Path("/proc")
_ENTRY = np.dtype(np.uint64)
_PAGES_PER_STRETCH = 8192
# Bits of an entry: the page is there, it is no device's, and no other process has it mapped.
_RESIDENT = np.uint64(1 << 63 | 1 << 61)
_ALONE = np.uint64(1 << 56)

Stretch = tuple[str, int]
"""Device and inode, which name one piece of memory in all processes, and which 8,192 pages of it."""


@dataclass(frozen=True)
class SharedPages:
    """What one process has mapped of memory that is shared.

    :param resident: of each stretch that is there in part, which pages are (8,192 truths).
    :param alone_bytes: those that no other process has mapped.
    """

    resident: dict[Stretch, np.ndarray]
    alone_bytes: int


def shared_pages(pid: int) -> SharedPages:
    """:raises OSError: the process is gone, or its page table may not be read."""
    found: dict[Stretch, np.ndarray] = {}
    alone = 0
    with (_PROC / str(pid) / "pagemap").open("rb", buffering=0) as table:
        for memory, entry, entries, first_page in _shared_mappings(pid):
            page, end = first_page, first_page + entries
            while page < end:
                number, begin = divmod(page, _PAGES_PER_STRETCH)
                count = min(_PAGES_PER_STRETCH - begin, end - page)
                table.seek((entry + page - first_page) * _ENTRY.itemsize)
                flags = np.frombuffer(table.read(count * _ENTRY.itemsize), _ENTRY)
                resident = (flags & _RESIDENT) == _RESIDENT
                if resident.any():
                    alone += int(np.count_nonzero(flags[resident] & _ALONE))
                    stretch = found.setdefault((memory, number), np.zeros(_PAGES_PER_STRETCH, np.bool_))
                    stretch[begin : begin + len(flags)] |= resident
                page += count
    return SharedPages(found, alone * mmap.PAGESIZE)


def shared_beyond_bytes(pid: int, others: list[int]) -> int:
    """What ``others`` have of shared memory beyond what ``pid`` has of it; a page counts once."""
    theirs: dict[Stretch, np.ndarray] = {}
    for other in others:
        try:
            pages = shared_pages(other).resident
        except OSError:
            continue
        for stretch, resident in pages.items():
            theirs[stretch] = theirs.get(stretch, False) | resident
    for stretch, resident in shared_pages(pid).resident.items():
        if stretch in theirs:
            theirs[stretch] &= ~resident
    return sum(int(np.count_nonzero(resident)) for resident in theirs.values()) * mmap.PAGESIZE


def _shared_mappings(pid: int) -> Iterator[tuple[str, int, int, int]]:
    """Of each shared mapping the memory, its first page table entry, how many it has, and its first page's number."""
    with (_PROC / str(pid) / "maps").open() as lines:
        for line in lines:
            addresses, permissions, offset, device, inode = line.split(maxsplit=5)[:5]
            if permissions.endswith("s"):
                begin, end = (int(address, 16) // mmap.PAGESIZE for address in addresses.split("-"))
                yield f"{device} {inode}", begin, end - begin, int(offset, 16) // mmap.PAGESIZE
