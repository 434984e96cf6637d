"""Peak memory: how far the process grows over a call beyond what it held before it, inputs excluded.

On Linux the kernel's own high-water mark (``VmHWM``) is reset before each phase, so that transient peaks count and
earlier ones do not. Processes that the call starts are included by their private memory, which is sampled while the
call runs. On a GPU the framework's allocator counts.
"""

from __future__ import annotations

import ctypes
import gc
import re
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

import psutil

from harness.instruments import InstrumentUnavailable

CHILD_SAMPLING_INTERVAL_S = 0.01
_M_TRIM_THRESHOLD = -1
_M_MMAP_THRESHOLD = -3
_STATUS = Path("/proc/self/status")
_CLEAR_REFS = Path("/proc/self/clear_refs")


class HostMemoryMeter:
    """Growth of this process and of the processes it starts, in bytes."""

    def __init__(self) -> None:
        try:
            _CLEAR_REFS.write_text("5")
        except OSError as error:
            raise InstrumentUnavailable(
                f"the kernel's high-water mark cannot be reset ({_CLEAR_REFS}: {error.strerror}); "
                "peak memory needs Linux with /proc writable for the own process"
            ) from error
        self._keep_nothing_freed()
        self._base_bytes = 0
        self._children = _ChildSampler()
        self.saw_children = False

    @staticmethod
    def _keep_nothing_freed() -> None:
        """Have the allocator return freed blocks at once, so that none is reused unseen by the high-water mark."""
        libc = ctypes.CDLL(None)
        if hasattr(libc, "mallopt"):
            libc.mallopt(_M_MMAP_THRESHOLD, 64 * 1024)
            libc.mallopt(_M_TRIM_THRESHOLD, 0)

    def measure(self, call: Callable[[Callable[[str], None]], object]) -> dict[str, float]:
        """Run ``call(lap)`` once; the peak growth in each phase over what was held before the call."""
        peaks: dict[str, float] = {}

        def lap(phase: str) -> None:
            own_bytes = max(_status_bytes("VmHWM") - self._base_bytes, 0)
            children_bytes = self._children.take_peak_bytes()
            self.saw_children |= children_bytes > 0
            peaks[phase] = float(own_bytes + children_bytes)
            _CLEAR_REFS.write_text("5")

        gc.collect()
        libc = ctypes.CDLL(None)
        if hasattr(libc, "malloc_trim"):
            libc.malloc_trim(0)
        _CLEAR_REFS.write_text("5")
        self._base_bytes = _status_bytes("VmRSS")
        with self._children:
            call(lap)
        return peaks


class CudaMemoryMeter:
    """Growth of what torch's caching allocator has handed out on the device, in bytes."""

    saw_children = False

    def measure(self, call: Callable[[Callable[[str], None]], object]) -> dict[str, float]:
        import torch

        peaks: dict[str, float] = {}
        gc.collect()
        torch.cuda.synchronize()
        torch.cuda.empty_cache()
        base_bytes = torch.cuda.memory_allocated()
        torch.cuda.reset_peak_memory_stats()

        def lap(phase: str) -> None:
            torch.cuda.synchronize()
            peaks[phase] = float(torch.cuda.max_memory_allocated() - base_bytes)
            torch.cuda.reset_peak_memory_stats()

        call(lap)
        return peaks


def make_memory_meter(device: str) -> HostMemoryMeter | CudaMemoryMeter:
    return CudaMemoryMeter() if device == "cuda" else HostMemoryMeter()


class _ChildSampler:
    """Samples the summed private memory of all descendants in a thread and keeps the peak."""

    def __init__(self) -> None:
        self._process = psutil.Process()
        self._pids: list[int] = []
        self._last_pid = ""
        self._peak_bytes = 0
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> None:
        self._stop.clear()
        self.take_peak_bytes()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def take_peak_bytes(self) -> int:
        """The peak since it was last taken."""
        self._look()
        with self._lock:
            peak, self._peak_bytes = self._peak_bytes, 0
        return peak

    def _watch(self) -> None:
        while not self._stop.wait(CHILD_SAMPLING_INTERVAL_S):
            self._look()

    def _look(self) -> None:
        last_pid = _last_pid()
        if last_pid != self._last_pid:  # looking for children means looking at every process of the machine
            self._last_pid = last_pid
            self._pids = [child.pid for child in self._process.children(recursive=True)]
        total = sum(_private_bytes(pid) for pid in self._pids)
        with self._lock:
            self._peak_bytes = max(self._peak_bytes, total)


def _status_bytes(field: str) -> int:
    match = re.search(rf"^{field}:\s+(\d+) kB", _STATUS.read_text(), re.MULTILINE)
    if match is None:
        raise InstrumentUnavailable(f"{_STATUS} has no {field}")
    return int(match.group(1)) * 1024


def _last_pid() -> str:
    """The process number that the kernel gave out last; while it stays the same nobody has started a process."""
    return Path("/proc/loadavg").read_text().split()[-1]


def _private_bytes(pid: int) -> int:
    """What the process holds for itself alone; 0 once it is gone."""
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0
    return sum(int(kilobytes) for kilobytes in re.findall(r"^Private_\w+:\s+(\d+) kB", rollup, re.MULTILINE)) * 1024
