"""Places that a worker writes to, to see whether its parent finds it there."""

from __future__ import annotations

import mmap
import os
from multiprocessing.shared_memory import SharedMemory
from pathlib import Path

import numpy as np

ITEMS: list[int] = []
NUMBERS = np.zeros(1, dtype=np.int64)
attribute = 0

NAMES = ("list", "array", "attribute", "shared_memory", "mmap")
"""A list of a module, a NumPy array of it, its attribute, shared memory by name, and a file mapped into memory."""
WRITER = 1
"""Where in the shared memory the writer leaves its process number; the value is the first."""


def write(value: int, shared_name: str, file: str) -> None:
    """Run by the worker: write ``value`` to each of the places."""
    global attribute
    ITEMS.append(value)
    NUMBERS[0] = value
    attribute = value
    shared = SharedMemory(shared_name)
    _put(shared, 0, value)
    _put(shared, WRITER, os.getpid())
    shared.close()
    with Path(file).open("r+b") as opened, mmap.mmap(opened.fileno(), 0) as mapped:
        mapped[:8] = value.to_bytes(8, "little")


def forget() -> None:
    """Run by the parent beforehand: nothing is in its memory that an earlier writer could have left."""
    global attribute
    ITEMS.clear()
    NUMBERS[:] = 0
    attribute = 0


def found(value: int, shared: SharedMemory, mapped: mmap.mmap) -> dict[str, bool]:
    """Run by the parent: by place, whether ``value`` is there."""
    return {
        "list": ITEMS[-1:] == [value],
        "array": int(NUMBERS[0]) == value,
        "attribute": attribute == value,
        "shared_memory": _get(shared, 0) == value,
        "mmap": int.from_bytes(mapped[:8], "little") == value,
    }


def writer(shared: SharedMemory) -> int:
    """The number of the process that wrote to the shared memory last."""
    return _get(shared, WRITER)


def _put(shared: SharedMemory, place: int, value: int) -> None:
    assert shared.buf is not None
    shared.buf[8 * place : 8 * place + 8] = value.to_bytes(8, "little")


def _get(shared: SharedMemory, place: int) -> int:
    assert shared.buf is not None
    return int.from_bytes(bytes(shared.buf[8 * place : 8 * place + 8]), "little")
