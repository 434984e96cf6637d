"""Memory that a process holds while it starts others."""

from __future__ import annotations

import mmap

import numpy as np

from suites.concurrency.job import PAGE_BYTES


class Ballast:
    """Private anonymous memory of which every page has been written to, as the heap of a program has been.

    A fork copies the page tables of such memory; those of shared mappings it may leave out (``dup_mm`` of Linux).

    :param size_bytes: 0 holds none.
    :param huge_pages: ask for transparent huge pages; otherwise they are refused (madvise(2)).
    :raises MemoryError: there is not so much.
    """

    def __init__(self, size_bytes: int, huge_pages: bool = False) -> None:
        self.size_bytes = size_bytes
        self._memory: mmap.mmap | None = None
        if not size_bytes:
            return
        try:
            self._memory = mmap.mmap(-1, size_bytes, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        except OSError as error:
            raise MemoryError(f"{size_bytes} bytes of ballast cannot be had: {error}") from error
        self._memory.madvise(mmap.MADV_HUGEPAGE if huge_pages else mmap.MADV_NOHUGEPAGE)
        np.frombuffer(self._memory, dtype=np.uint8)[::PAGE_BYTES] = 1
