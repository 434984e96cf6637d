"""How much memory a worker may take: part of what is available when a step begins, so that the machine stays up."""

from __future__ import annotations

import re
import resource
from contextlib import suppress
from pathlib import Path

import psutil

SHARE = 0.8
"""Of the available memory; the rest is the system's."""
LARGEST_DIVISION = 8
"""Among more workers than this the memory is not divided any further: each would get too little for anything.

Should all of them take their part at once, the kernel ends one of them (``oom_score_adj``) and nothing else.
"""
_RESERVE_BYTES = 64 << 20
_CGROUPS = Path("/sys/fs/cgroup")


class MemoryLimit:
    """Makes an allocation fail before the machine runs out of memory (``RLIMIT_DATA``, setrlimit(2)).

    It holds for every process by itself: what the worker's children take is not added up. Not with a GPU, whose driver
    maps more address space than it uses.
    """

    def __init__(self, device: str) -> None:
        self._limited = device == "cpu"
        self._most_bytes = int(available_bytes() * SHARE)
        if self._limited:
            resource.setrlimit(resource.RLIMIT_DATA, (self._most_bytes, self._most_bytes))

    def allow(self, side_by_side: int) -> None:
        """Divide what is available now among as many workers as may be busy at the same time."""
        if self._limited:
            room_bytes = int(available_bytes() * SHARE) // min(max(side_by_side, 1), LARGEST_DIVISION)
            self._set(min(held_bytes() + room_bytes, self._most_bytes - _RESERVE_BYTES))

    def lift(self) -> None:
        """Give back a reserve, so that an exhausted worker can still say what happened."""
        if self._limited:
            self._set(self._most_bytes)

    def _set(self, limit_bytes: int) -> None:
        with suppress(ValueError, OSError):  # the implementation has lowered the most that is allowed
            resource.setrlimit(resource.RLIMIT_DATA, (max(limit_bytes, 0), self._most_bytes))


def held_bytes() -> int:
    """What ``RLIMIT_DATA`` counts of this process (``VmData``, proc_pid_status(5))."""
    found = re.search(r"^VmData:\s+(\d+) kB", _read(Path("/proc/self/status")), re.MULTILINE)
    return int(found.group(1)) * 1024 if found else 0


def available_bytes(groups: Path = _CGROUPS) -> int:
    """What can be taken without swapping: of the machine, and of each control group that this process is in."""
    available = int(psutil.virtual_memory().available)
    path = next((line[3:] for line in _read(Path("/proc/self/cgroup")).splitlines() if line.startswith("0::")), "/")
    folder = groups / path.strip("/")
    for group in (folder, *folder.parents):
        if not group.is_relative_to(groups):
            break
        most, now = _read(group / "memory.max").strip(), _read(group / "memory.current").strip()
        if most.isdecimal() and now.isdecimal():
            cached = re.search(r"^inactive_file (\d+)$", _read(group / "memory.stat"), re.MULTILINE)
            available = min(available, max(int(most) - int(now) + (int(cached.group(1)) if cached else 0), 0))
    return available


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except OSError:
        return ""
