"""Which pages of shared memory processes have, against pages that were touched one by one."""

from __future__ import annotations

import mmap
import os
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryFile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.instruments.shared_pages import shared_beyond_bytes, shared_pages
from tests.instruments.test_memory_of_children import Forked

PAGES = 9000  # more than one stretch

pytestmark = pytest.mark.skipif(not Path("/proc/self/pagemap").exists(), reason="needs Linux's page tables in /proc")


@pytest.fixture
def block() -> Iterator[mmap.mmap]:
    shared = mmap.mmap(-1, PAGES * mmap.PAGESIZE)
    yield shared
    shared.close()


def touch(block: mmap.mmap, pages: set[int]) -> None:
    for page in pages:
        block[page * mmap.PAGESIZE] = 1


some_pages = st.sets(st.integers(0, PAGES - 1), max_size=20)


@given(ours=some_pages, theirs=some_pages)
def test_a_page_counts_once_and_not_if_this_process_has_it(ours: set[int], theirs: set[int]) -> None:
    block = mmap.mmap(-1, PAGES * mmap.PAGESIZE)
    before_bytes = shared_pages(os.getpid()).alone_bytes
    touch(block, ours)
    assert shared_pages(os.getpid()).alone_bytes - before_bytes == len(ours) * mmap.PAGESIZE
    children = [Forked(lambda: touch(block, theirs)) for _ in range(2)]
    try:
        pids = [child.pid for child in children]
        assert shared_beyond_bytes(os.getpid(), pids) == len(theirs - ours) * mmap.PAGESIZE
        assert shared_pages(pids[0]).alone_bytes == 0
    finally:
        for child in children:
            child.end()
        block.close()


def test_mappings_of_one_file_at_different_places_are_one_memory() -> None:
    with TemporaryFile() as file:
        file.truncate(4 * mmap.PAGESIZE)
        whole = mmap.mmap(file.fileno(), 4 * mmap.PAGESIZE)
        touch(whole, {2, 3})

        def touch_from_the_second_page() -> object:
            part = mmap.mmap(file.fileno(), 3 * mmap.PAGESIZE, offset=mmap.PAGESIZE)
            touch(part, {0, 1})
            return part

        child = Forked(touch_from_the_second_page)
        try:
            assert shared_beyond_bytes(os.getpid(), [child.pid]) == mmap.PAGESIZE
        finally:
            child.end()
            whole.close()


def test_a_process_that_is_gone_shares_nothing(block: mmap.mmap) -> None:
    child = Forked(lambda: touch(block, {1}))
    child.end()
    assert shared_beyond_bytes(os.getpid(), [child.pid]) == 0
    with pytest.raises(OSError, match=str(child.pid)):
        shared_pages(child.pid)
