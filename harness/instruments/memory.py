"""Peak memory: how far the process grows over a call beyond what it held before it, inputs excluded.

On Linux the kernel's own high-water mark (``VmHWM``) counts, reset before each phase, so that transient peaks count and
earlier ones do not, together with the processes that the call starts. On a GPU the framework's allocator counts, and
its reserve and the host's growth stand beside it.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Any

from harness.instruments import InstrumentUnavailable
from harness.instruments.allocators import nothing_to_reuse, trim_heap
from harness.instruments.process_tree import TreePeak, reset_high_water_mark

Lap = Callable[[str], None]


class HostMemoryMeter:
    """Growth of this process and of the processes it starts, in bytes.

    Right within 1 % and 1 MiB: memory comes in pages, and the kernel keeps its counters per CPU and folds them from
    max(32, 2 x CPUs) pages on (lib/percpu_counter.c), so that a peak which many threads reach on many CPUs, and which
    is gone when the phase ends, may be off by that many pages for each of these CPUs.

    :ivar saw_children: whether processes that a call started or made larger are in a figure.
    :ivar beside: further figures of the last call, with units in their names: ``children_peak_bytes``, what other
        processes grew by at most.
    :raises InstrumentUnavailable: the kernel's high-water mark cannot be reset here.
    """

    def __init__(self) -> None:
        reset_high_water_mark()
        self.saw_children = False
        self.beside: dict[str, float] = {}

    def measure(self, call: Callable[[Lap], object]) -> dict[str, float]:
        """Run ``call(lap)`` once; the peak growth in each phase over what was held before the call.

        The first call in a process also grows it by what is loaded and set up once; leave it out. What one phase
        freed counts in the next where the process still has it: CPython keeps arenas in which a small object survives.
        """
        peaks: dict[str, float] = {}
        self.beside = {"children_peak_bytes": 0.0}
        with nothing_to_reuse(), TreePeak() as tree:

            def lap(phase: str) -> None:
                peak_bytes, children_bytes = tree.take_bytes()
                peaks[phase] = float(peak_bytes)
                self.beside["children_peak_bytes"] = max(self.beside["children_peak_bytes"], float(children_bytes))
                trim_heap()  # what this phase freed is none of the next one's
                tree.forget_own_peak()

            call(lap)
        self.saw_children |= self.beside["children_peak_bytes"] > 0
        return peaks


class CudaMemoryMeter:
    """Growth of what torch's caching allocator has handed out on the current device, in bytes.

    :ivar beside: further figures of the last call, each the largest of its phases: ``reserved_peak_bytes``, growth of
        what the allocator has taken from the device, which is rounded up and includes what it keeps for later, and
        ``host_peak_bytes``, growth of the process and those it starts, where that can be read.
    """

    def __init__(self, cuda: Any = None) -> None:
        if cuda is None:
            import torch

            cuda = torch.cuda
        self._cuda = cuda
        self._host: HostMemoryMeter | None
        try:
            self._host = HostMemoryMeter()
        except InstrumentUnavailable:
            self._host = None
        self.saw_children = False
        self.beside: dict[str, float] = {}

    def measure(self, call: Callable[[Lap], object]) -> dict[str, float]:
        """Run ``call(lap)`` once; the peak growth in each phase over what was allocated before the call."""
        cuda = self._cuda
        allocated: dict[str, float] = {}
        reserved: dict[str, float] = {}
        gc.collect()
        cuda.synchronize()
        cuda.empty_cache()
        base_allocated_bytes, base_reserved_bytes = cuda.memory_allocated(), cuda.memory_reserved()
        cuda.reset_peak_memory_stats()

        def run(host_lap: Lap) -> object:
            def lap(phase: str) -> None:
                cuda.synchronize()
                allocated[phase] = float(cuda.max_memory_allocated() - base_allocated_bytes)
                reserved[phase] = float(cuda.max_memory_reserved() - base_reserved_bytes)
                host_lap(phase)
                cuda.reset_peak_memory_stats()

            return call(lap)

        if self._host is None:
            run(lambda phase: None)
        else:
            host = self._host.measure(run)
            self.saw_children = self._host.saw_children
            self.beside = {"host_peak_bytes": max(host.values(), default=0.0)}
        self.beside["reserved_peak_bytes"] = max(reserved.values(), default=0.0)
        return allocated


def make_memory_meter(device: str) -> HostMemoryMeter | CudaMemoryMeter:
    return CudaMemoryMeter() if device == "cuda" else HostMemoryMeter()
