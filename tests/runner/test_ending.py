"""What a record says of a worker that ended without an answer."""

from __future__ import annotations

import pytest

from harness.records import Status
from harness.runner.ending import Ending, cause_of_death, count_memory_kills, last_words

SEGFAULT = """\
noise
Fatal Python error: Segmentation fault

Current thread 0x00007f0000000000 (most recent call first):
  File "/usr/lib/python3.11/ctypes/__init__.py", line 519 in string_at
  File "/a project/impls/total/bad.py", line 9 in total
  File "/a project/harness/worker/calls.py", line 38 in call

Extension modules: numpy.core._multiarray_umath (total: 1)
"""
FILE = "/a project/impls/total/bad.py"


def test_a_fatal_error_is_told_with_its_place_in_the_implementation() -> None:
    assert last_words(SEGFAULT, FILE) == "Segmentation fault (bad.py:9)"
    assert last_words(SEGFAULT, "/elsewhere.py") == "Segmentation fault (__init__.py:519)"
    assert last_words("Fatal Python error: none_dealloc: deallocating None\n", FILE) == (
        "none_dealloc: deallocating None"
    )


def test_otherwise_the_last_line_is_told_and_not_too_much_of_it() -> None:
    assert last_words("first\nthe last\n  \n", FILE) == "the last"
    assert last_words("x" * 5000, FILE) == "x" * 300
    assert last_words("", FILE) == ""


@pytest.mark.parametrize(
    ("code", "output", "exhausted", "status", "reason"),
    [
        (3, "", False, "crashed", "exited with code 3"),
        (0, "", False, "crashed", "exited with code 0"),
        (-11, SEGFAULT, False, "crashed", "ended by SIGSEGV: Segmentation fault (bad.py:9)"),
        (-40, "", False, "crashed", "ended by signal 40"),
        (-9, "", True, "out_of_memory", "ended by SIGKILL by the kernel for want of memory"),
        (-9, "", None, "out_of_memory", "ended by SIGKILL, most likely by the kernel for want of memory"),
        (-9, "", False, "crashed", "ended by SIGKILL, by itself or from outside (not for want of memory)"),
        (1, "MemoryError\n", False, "out_of_memory", "exited with code 1 for want of memory: MemoryError"),
        (120, "bye", False, "crashed", "closed the file descriptors that it answers on: bye"),
        (None, "", False, "crashed", "closed the file descriptors that it answers on"),
    ],
)
def test_status_and_reason(code: int | None, output: str, exhausted: bool | None, status: Status, reason: str) -> None:
    assert cause_of_death(Ending(code, 0, output), FILE, exhausted) == (status, reason)


def test_a_worker_that_took_its_keeper_along_is_told_so() -> None:
    assert cause_of_death(None, FILE, True) == ("crashed", "was killed together with the process that keeps it")


def test_the_kernel_tells_how_often_it_ended_processes_for_want_of_memory() -> None:
    count = count_memory_kills()
    assert count is None or count >= 0
