"""Peak growth of this process together with the processes it starts, while a call runs.

What counts: of this process its resident memory; of every other one what it holds for itself alone (its unique set
size, ``Private_*`` in proc_pid_smaps(5)) and its share of memory that several processes write to. A forked process
counts with the pages it has written or added, not with those it inherited; a fresh interpreter counts whole, since
the call needs it (about 7 MiB for bare CPython, which the call would not take in this process).

This process's own peak is the kernel's high-water mark and misses nothing. Others are looked at every few
milliseconds: their high-water mark, which is cheap, covers the time between two looks, and how much of their memory
is private, which is dear (the kernel walks their page tables), is looked up again when they have touched new pages.
What is missed: a process that lives for less than a look, and what one adds in its last milliseconds.
"""

from __future__ import annotations

import ctypes
import os
import platform
import re
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import psutil

from harness.instruments import InstrumentUnavailable
from harness.instruments.shared_pages import shared_beyond_bytes, shared_pages

LOOK_INTERVAL_S = 0.005
# At most this share of a CPU is spent on asking the kernel what is private.
ASKING_SHARE = 0.1
# So often at most what a process shares is read again when it changed in a reading.
READINGS = 4
_KCMP = {"x86_64": 312, "aarch64": 272}
_KCMP_VM = 1
_PROC = Path("/proc")
_CLEAR_REFS = _PROC / "self" / "clear_refs"
# A kernel without CONFIG_PROC_CHILDREN does not have it; psutil then looks at every process of the machine.
_CHILDREN_LISTED = (_PROC / "thread-self" / "children").exists()


@dataclass(frozen=True)
class _Status:
    """What a process has resident, as its status file shows it."""

    high_water_bytes: int
    resident_bytes: int
    anonymous_bytes: int
    shared_memory_bytes: int


@dataclass
class _Child:
    """Another process of the tree.

    :param inherited_bytes: how much more its anonymous memory is than what it holds alone, when the kernel was last
        asked.
    :param faults: its page faults when the kernel was last asked; -1 before that.
    """

    pid: int
    status: _Status = _Status(0, 0, 0, 0)
    own_bytes: int = 0
    inherited_bytes: int = 0
    faults: int = -1

    def look(self, ask: bool) -> int:
        """The most it held for itself since the last look, memory that is shared for writing left out; 0 when gone."""
        before, own_before_bytes = self.status, self.own_bytes
        try:
            self.status = _status(self.pid)
            last = before
            # A lower high-water mark means that it has replaced its program, and its memory with it.
            while ask or self.faults < 0 or self.status.high_water_bytes < last.high_water_bytes:
                last, ask = self.status, False
                if not self._ask():
                    break
                self.status = _status(self.pid)
        except OSError:
            self.status, self.own_bytes = _Status(0, 0, 0, 0), 0
            return 0
        if self.faults < 0:
            self.own_bytes = 0
            return 0
        # Files that it maps in meanwhile others mostly have as well, so that they do not count until asked about.
        self.own_bytes = max(self.status.anonymous_bytes - self.inherited_bytes, 0)
        if self.status.high_water_bytes > before.high_water_bytes > 0:
            return self.own_bytes + self.status.high_water_bytes - self.status.resident_bytes
        return max(self.own_bytes, own_before_bytes)

    def _ask(self) -> bool:
        """Ask the kernel how much of its memory is its own; not if it has touched no new page since the last time."""
        parent, faults = _parent_and_faults(self.pid)
        if faults == self.faults:
            return False
        if _same_memory(self.pid, parent):  # between vfork and exec it runs in its parent's memory
            self.faults = -1
            return False
        self.inherited_bytes = _inherited_bytes(self.pid, shares=self.status.shared_memory_bytes > 0)
        self.faults = faults
        return True


class TreePeak:
    """Follows the tree in a thread while it is entered; peaks are relative to what the tree held on entry."""

    def __init__(self) -> None:
        self._pid = os.getpid()
        self._own = _Status(0, 0, 0, 0)
        self._children: dict[int, _Child] = {}
        self._last_pid = ""
        self._next_asking_s = 0.0
        self._shared_bytes = 0
        self._base_resident_bytes = self._base_high_water_bytes = self._base_children_bytes = 0
        self._peak_bytes = self._children_peak_bytes = 0
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> TreePeak:
        with self._lock:
            self._thread.start()
            shared_beyond_bytes(self._pid, [self._pid])  # what its code needs when it first runs is none of the call's
            self._base_children_bytes = self._look_at_children(ask=True)
            reset_high_water_mark()
            self._own = _status(self._pid)
            self._base_resident_bytes = self._own.resident_bytes
            self._base_high_water_bytes = self._own.high_water_bytes
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()

    def take_bytes(self) -> tuple[int, int]:
        """The tree's peak growth since this was last asked, and that of the other processes alone."""
        with self._lock:
            self._look(ask=True)
            taken = max(self._peak_bytes, 0), max(self._children_peak_bytes, 0)
            self._peak_bytes = self._children_peak_bytes = 0
            return taken

    def forget_own_peak(self) -> None:
        """Set this process's peak back to what it holds now."""
        with self._lock:
            reset_high_water_mark()
            self._own = _status(self._pid)

    def _watch(self) -> None:
        while not self._stop.wait(LOOK_INTERVAL_S):
            with self._lock:
                self._look(ask=time.monotonic() >= self._next_asking_s)

    def _look(self, ask: bool) -> None:
        before, now = self._own, _status(self._pid)
        self._own = now
        if now.high_water_bytes != before.high_water_bytes:
            peak_bytes = now.high_water_bytes
        else:
            peak_bytes = max(before.resident_bytes, now.resident_bytes)
        # The kernel keeps its counters per CPU and folds them now and then, so that the high-water mark is off by up
        # to some pages per CPU; each figure is compared with its like, and the larger growth counts.
        growth_bytes = max(peak_bytes - self._base_high_water_bytes, now.resident_bytes - self._base_resident_bytes)
        children_bytes = self._look_at_children(ask) - self._base_children_bytes
        self._children_peak_bytes = max(self._children_peak_bytes, children_bytes)
        self._peak_bytes = max(self._peak_bytes, growth_bytes + children_bytes)

    def _look_at_children(self, ask: bool) -> int:
        last_pid = (_PROC / "loadavg").read_text().split()[-1]
        if last_pid != self._last_pid:  # while it stays the same nobody has started a process
            self._last_pid = last_pid
            known = self._children
            self._children = {pid: known.get(pid) or _Child(pid) for pid in descendants(self._pid)}
        begin_s = time.monotonic()
        total_bytes = sum(child.look(ask) for child in self._children.values())
        sharing = [pid for pid, child in self._children.items() if child.status.shared_memory_bytes]
        if ask or not sharing:
            self._shared_bytes = shared_beyond_bytes(self._pid, sharing) if sharing else 0
        if ask:
            now_s = time.monotonic()
            self._next_asking_s = now_s + (now_s - begin_s) / ASKING_SHARE
        return total_bytes + self._shared_bytes


def reset_high_water_mark() -> None:
    """Set this process's ``VmHWM`` back to what it holds now (``clear_refs`` in proc(5)).

    :raises InstrumentUnavailable: this is no Linux, or the file may not be written.
    """
    try:
        _CLEAR_REFS.write_text("5")
    except OSError as error:
        raise InstrumentUnavailable(
            f"the kernel's high-water mark cannot be reset ({_CLEAR_REFS}: {error.strerror}); "
            "peak memory needs Linux with /proc writable for the own process"
        ) from error


def _status(pid: int) -> _Status:
    """:raises OSError: the process is gone, or about to go and without memory."""
    text = (_PROC / str(pid) / "status").read_text()
    sizes = dict(re.findall(r"^(VmHWM|VmRSS|RssAnon|RssShmem):\s+(\d+) kB", text, re.MULTILINE))
    if len(sizes) < 4:
        raise ProcessLookupError(f"process {pid} has no memory any more")
    return _Status(*(int(sizes[name]) * 1024 for name in ("VmHWM", "VmRSS", "RssAnon", "RssShmem")))


def _parent_and_faults(pid: int) -> tuple[int, int]:
    """Number of the parent process, and page faults so far (fields 4 and 10 of proc_pid_stat(5))."""
    fields = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    return int(fields[1]), int(fields[7])


def _inherited_bytes(pid: int, shares: bool) -> int:
    """What of its anonymous memory the process does not hold alone, less what it holds alone of files.

    The kernel counts as its own what it alone has of memory that is shared, too, which others may come to share
    meanwhile: that is read before and after until it stays as it was. While it does not, all that is the process's
    part of shared memory is taken out, so that nothing counts twice.
    """
    alone_bytes = shared_pages(pid).alone_bytes if shares else 0
    for _ in range(READINGS):
        rollup = (_PROC / str(pid) / "smaps_rollup").read_text()
        sizes_bytes = {name: int(size) * 1024 for name, size in re.findall(r"^(\w+):\s+(\d+) kB", rollup, re.MULTILINE)}
        part_bytes = sizes_bytes.get("Pss_Shmem", 0)
        before_bytes, alone_bytes = alone_bytes, shared_pages(pid).alone_bytes if part_bytes else 0
        if alone_bytes == before_bytes:
            break
    else:
        alone_bytes = part_bytes
    return sizes_bytes["Anonymous"] - (sizes_bytes["Private_Clean"] + sizes_bytes["Private_Dirty"] - alone_bytes)


def descendants(pid: int) -> list[int]:
    """Process numbers of all that descend from ``pid``."""
    if not _CHILDREN_LISTED:
        return [child.pid for child in psutil.Process(pid).children(recursive=True)]
    found = []
    for file in (_PROC / str(pid) / "task").glob("*/children"):
        try:
            children = [int(child) for child in file.read_text().split()]
        except OSError:
            continue
        for child in children:
            found += [child, *descendants(child)]
    return found


def _same_memory(one: int, other: int) -> bool:
    """Whether two processes run in one address space (kcmp(2)); where the kernel cannot tell, no."""
    number = _KCMP.get(platform.machine())
    if number is None:
        return False
    result: int = ctypes.CDLL(None).syscall(number, one, other, _KCMP_VM, 0, 0)
    return result == 0
