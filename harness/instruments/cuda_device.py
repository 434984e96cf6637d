"""What the GPU timer asks of a device, as torch offers it: a stream of work, events in it, and graphs of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from harness.instruments import InstrumentUnavailable

# What is overwritten to evict a cache is twice its size, since caches do not replace strictly the oldest line.
FLUSH_PER_CACHE = 2
_CALIBRATION_CYCLES = 1_000_000
_CALIBRATION_REPEATS = 3
# Before a capture, libraries make their handles and work spaces (torch documents a few calls on a side stream).
_CALLS_BEFORE_CAPTURE = 3


class Event(Protocol):
    """A mark in the stream of work."""

    def record(self) -> None: ...

    def query(self) -> bool:
        """Whether the device has come past it."""

    def elapsed_time(self, end: Any) -> float:
        """Milliseconds from this event to ``end``; CUDA gives about half a microsecond's resolution."""


class Graph(Protocol):
    """Captured work."""

    def replay(self) -> None: ...


class Device(Protocol):
    """A device that works through a queue while the host goes on."""

    def flush(self) -> None:
        """Queue work that leaves nothing of what was used before in the second-level cache."""

    def block(self, duration_ns: float) -> None:
        """Queue a kernel that does nothing for ``duration_ns``, or a little longer, and touches no memory."""

    def event(self) -> Event: ...

    def synchronise(self) -> None:
        """Wait until the queue is empty."""

    def capture(self, works: list[Callable[[], object]], rehearse: Callable[[], object]) -> list[Graph]:
        """A graph of each of the works, which follow one another.

        :param rehearse: does all of them as one call; done a few times before.
        :raises InstrumentUnavailable: they cannot be captured; the message gives the reason.
        """


class CudaDevice:
    """The current CUDA device and stream, by way of torch."""

    def __init__(self) -> None:
        import torch

        self._torch: Any = torch
        self._cuda: Any = torch.cuda
        self._buffer: Any = None
        self._cycles_per_ns = 0.0

    def flush(self) -> None:
        if self._buffer is None:
            self._buffer = self._torch.empty(flush_bytes(self._cache_bytes()), dtype=self._torch.int8, device="cuda")
        self._buffer.zero_()

    def block(self, duration_ns: float) -> None:
        if not self._cycles_per_ns:
            self._cycles_per_ns = self._measure_cycles_per_ns()
        self._cuda._sleep(max(1, round(duration_ns * self._cycles_per_ns)))

    def event(self) -> Event:
        event: Event = self._cuda.Event(enable_timing=True)
        return event

    def synchronise(self) -> None:
        self._cuda.synchronize()

    def capture(self, works: list[Callable[[], object]], rehearse: Callable[[], object]) -> list[Graph]:
        side_stream = self._cuda.Stream()
        side_stream.wait_stream(self._cuda.current_stream())
        with self._cuda.stream(side_stream):
            for _ in range(_CALLS_BEFORE_CAPTURE):
                rehearse()
        self._cuda.current_stream().wait_stream(side_stream)
        pool = self._cuda.graph_pool_handle()  # shared, since a later phase reads what an earlier one has written
        graphs: list[Graph] = []
        for work in works:
            graph = self._cuda.CUDAGraph()
            try:
                with self._cuda.graph(graph, pool=pool):
                    work()
            except Exception as error:
                first = error.__context__ or error  # ending a capture that has failed raises once more
                raise InstrumentUnavailable(
                    "the call cannot be captured in a CUDA graph, measure it without one: "
                    f"{type(first).__name__}: {str(first).strip().partition(chr(10))[0]}"
                ) from error
            graphs.append(graph)
        return graphs

    def _cache_bytes(self) -> int:
        return int(self._cuda.get_device_properties(self._cuda.current_device()).L2_cache_size)

    def _measure_cycles_per_ns(self) -> float:
        """The highest rate of a few repeats, so that a block is rather too long than too short."""
        rates = []
        for _ in range(_CALIBRATION_REPEATS):
            begin, end = self.event(), self.event()
            begin.record()
            self._cuda._sleep(_CALIBRATION_CYCLES)
            end.record()
            self.synchronise()
            rates.append(_CALIBRATION_CYCLES / (begin.elapsed_time(end) * 1e6))
        return max(rates)


def flush_bytes(cache_bytes: int) -> int:
    """How much is overwritten to evict a second-level cache of ``cache_bytes``.

    :raises InstrumentUnavailable: the device does not say how large its cache is.
    """
    if cache_bytes <= 0:
        raise InstrumentUnavailable(
            f"the device gives {cache_bytes} bytes as the size of its second-level cache, so it cannot be flushed; "
            "time it with a warm cache"
        )
    return FLUSH_PER_CACHE * cache_bytes
