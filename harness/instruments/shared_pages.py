"""Which pages of memory that is shared for writing a process has, from its page table (proc_pid_pagemap(5)).

The same is in smaps, summed up, but for that the kernel walks all of a process's mappings: with torch and SciPy loaded
there are more than a thousand, and one reading takes 30 ms. Here only shared ones are walked. The process that reads
measures its own memory as well, so that little is held meanwhile, and no code of a library is run for the first time.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_ENTRY_BYTES = 8
_PAGES_PER_STRETCH = 8192
# Bits of the highest of an entry's bytes: the page is there, it is no device's, and no other process has it mapped.
_RESIDENT = 0x80 | 0x20
_ALONE = 0x01
_IS_RESIDENT = bytes(flags & _RESIDENT == _RESIDENT for flags in range(256))
_IS_ALONE = bytes(flags & (_RESIDENT | _ALONE) == _RESIDENT | _ALONE for flags in range(256))

Stretch = tuple[str, int]
"""Device and inode, which name one piece of memory in all processes, and which 8,192 pages of it."""


@dataclass(frozen=True)
class SharedPages:
    """What one process has mapped of memory that is shared.

    :param resident: of each stretch that is there in part, which pages are: bit 8 k is the k-th of them.
    :param alone_bytes: those that no other process has mapped.
    """

    resident: dict[Stretch, int]
    alone_bytes: int


def shared_pages(pid: int) -> SharedPages:
    """:raises OSError: the process is gone, or its page table may not be read."""
    found: dict[Stretch, int] = {}
    alone = 0
    with (_PROC / str(pid) / "pagemap").open("rb", buffering=0) as table:
        for memory, entry, entries, first_page in _shared_mappings(pid):
            page, end = first_page, first_page + entries
            while page < end:
                number, begin = divmod(page, _PAGES_PER_STRETCH)
                count = min(_PAGES_PER_STRETCH - begin, end - page)
                table.seek((entry + page - first_page) * _ENTRY_BYTES)
                flags = table.read(count * _ENTRY_BYTES)[_ENTRY_BYTES - 1 :: _ENTRY_BYTES]
                resident = int.from_bytes(flags.translate(_IS_RESIDENT), "little")
                if resident:
                    alone += flags.translate(_IS_ALONE).count(1)
                    stretch = (memory, number)
                    found[stretch] = found.get(stretch, 0) | resident << 8 * begin
                page += count
    return SharedPages(found, alone * mmap.PAGESIZE)


def shared_beyond_bytes(pid: int, others: list[int]) -> int:
    """What ``others`` have of shared memory beyond what ``pid`` has of it; a page counts once."""
    theirs: dict[Stretch, int] = {}
    for other in others:
        try:
            pages = shared_pages(other).resident
        except OSError:
            continue
        for stretch, resident in pages.items():
            theirs[stretch] = theirs.get(stretch, 0) | resident
    for stretch, resident in shared_pages(pid).resident.items():
        theirs[stretch] = theirs.get(stretch, 0) & ~resident
    return sum(resident.bit_count() for resident in theirs.values()) * mmap.PAGESIZE


def _shared_mappings(pid: int) -> Iterator[tuple[str, int, int, int]]:
    """Of each shared mapping the memory, its first page table entry, how many it has, and its first page's number."""
    with (_PROC / str(pid) / "maps").open() as lines:
        for line in lines:
            addresses, permissions, offset, device, inode = line.split(maxsplit=5)[:5]
            if permissions.endswith("s"):
                begin, end = (int(address, 16) // mmap.PAGESIZE for address in addresses.split("-"))
                yield f"{device} {inode}", begin, end - begin, int(offset, 16) // mmap.PAGESIZE
