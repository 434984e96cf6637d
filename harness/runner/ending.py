"""How a worker ended, and what its record says of it."""

from __future__ import annotations

import re
import signal
from dataclasses import dataclass
from pathlib import Path

from harness.privacy import this_process
from harness.records import Status
from harness.worker.keeper import EXIT_UNHEARD

_LONGEST = 300
_FATAL = "Fatal Python error: "
_FRAME = re.compile(r'^\s*File "(?P<path>[^"]*)", line (?P<line>\d+)', re.MULTILINE)
_NOISE = ("  File", "Current thread", "Thread 0x", "Extension modules", "Stack (most", "Traceback", "<no Python frame>")
_EXHAUSTED = ("MemoryError", "std::bad_alloc", "Cannot allocate memory")


@dataclass(frozen=True)
class Ending:
    """What the keeper of a worker saw.

    :param exit_code: negative for a signal's number; ``None``: it was still there when it was to be ended.
    :param left: how many processes of the worker had to be ended after it.
    :param output: the end of what it printed.
    """

    exit_code: int | None
    left: int
    output: str


def cause_of_death(ending: Ending | None, file: str, exhausted: bool | None) -> tuple[Status, str]:
    """Status and reason of a worker that ended without an answer.

    :param ending: ``None`` when its keeper was killed with it.
    :param file: the implementation's file.
    :param exhausted: whether the kernel has ended processes for want of memory meanwhile; ``None``: it does not tell.
    """
    if ending is None:
        return "crashed", "was killed together with the process that keeps it"
    words = last_words(ending.output, file)
    tail = f": {words}" if words else ""
    code = ending.exit_code
    if code is None or code == EXIT_UNHEARD:
        return "crashed", f"closed the file descriptors that it answers on{tail}"
    if any(sign in ending.output for sign in _EXHAUSTED):
        return "out_of_memory", f"{_end_of(code)} for want of memory{tail}"
    if code == -signal.SIGKILL and exhausted is not False:
        likely = "" if exhausted else ", most likely"
        return "out_of_memory", f"ended by SIGKILL{likely} by the kernel for want of memory{tail}"
    if code == -signal.SIGKILL:
        return "crashed", f"ended by SIGKILL, by itself or from outside (not for want of memory){tail}"
    return "crashed", f"{_end_of(code)}{tail}"


def last_words(output: str, file: str) -> str:
    """What the end of a worker's output says of its end: a fatal error with its place, or else the last line."""
    lines = output.splitlines()
    fatal = [index for index, line in enumerate(lines) if line.startswith(_FATAL)]
    if fatal:
        text = lines[fatal[-1]].removeprefix(_FATAL).strip()
        place = innermost(output, file)
        return f"{text} ({place})" if place else text
    telling = [line.strip() for line in lines if line.strip() and not line.startswith(_NOISE)]
    return this_process().text(telling[-1])[:_LONGEST] if telling else ""


def innermost(output: str, file: str) -> str:
    """The first place in ``file``, or else in any, of the last traceback that :mod:`faulthandler` has printed."""
    _, fatal, traceback = output.rpartition(_FATAL)
    frames = [(match["path"], match["line"]) for match in _FRAME.finditer(traceback)] if fatal else []
    own = [frame for frame in frames if frame[0] == file]
    return "".join(f"{Path(path).name}:{line}" for path, line in (own or frames)[:1])


def count_memory_kills() -> int | None:
    """How many processes the kernel has ended for want of memory since it started; ``None`` where it does not tell."""
    try:
        found = re.search(r"^oom_kill (\d+)$", Path("/proc/vmstat").read_text(encoding="utf-8"), re.MULTILINE)
    except OSError:
        return None
    return int(found.group(1)) if found else None


def _end_of(code: int) -> str:
    if code >= 0:
        return f"exited with code {code}"
    try:
        return f"ended by {signal.Signals(-code).name}"
    except ValueError:  # a real-time signal without a name
        return f"ended by signal {-code}"
