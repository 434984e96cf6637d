"""What it costs to have anything done at all: a call, an operation on one number, a kernel, a process."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

CALLS, REPEATS = 1000, 7
PROCESS_STARTS = 5


def measure_dispatch() -> dict[str, float]:
    """Nanoseconds by kind of call, the least of a few means; those of a GPU where torch sees one.

    ``python_call_ns``: a function without a body. ``numpy_add_ns``, ``torch_add_ns``: adding 1 to one number in place.
    ``cuda_launch_ns``: the host's part of the same on a GPU; ``cuda_round_trip_ns``: until the GPU has done it.
    """
    import torch

    one, tensor = np.zeros(1), torch.zeros(1)
    costs = {
        "python_call_ns": _least_mean_ns(_nothing),
        "numpy_add_ns": _least_mean_ns(lambda: np.add(one, 1.0, out=one)),
        "torch_add_ns": _least_mean_ns(lambda: tensor.add_(1.0)),
    }
    if torch.cuda.is_available():
        on_gpu = torch.zeros(1, device="cuda")
        costs["cuda_launch_ns"] = _least_mean_ns(lambda: on_gpu.add_(1.0), torch.cuda.synchronize)

        def round_trip() -> None:
            on_gpu.add_(1.0)
            torch.cuda.synchronize()

        costs["cuda_round_trip_ns"] = _least_mean_ns(round_trip)
    return costs


def interpreter_start_ms() -> float:
    """Milliseconds from starting a Python that does nothing to its end, the least of a few."""
    durations = []
    for _ in range(PROCESS_STARTS):
        begin = time.perf_counter()
        subprocess.run([sys.executable, "-c", "pass"], check=True)
        durations.append(1e3 * (time.perf_counter() - begin))
    return min(durations)


def _nothing() -> None:
    return None


def _least_mean_ns(call: Callable[[], Any], settle: Callable[[], Any] = _nothing) -> float:
    """:param settle: called between the repeats, outside the time."""
    means = []
    for _ in range(REPEATS):
        begin = time.perf_counter_ns()
        for _ in range(CALLS):
            call()
        means.append((time.perf_counter_ns() - begin) / CALLS)
        settle()
    return min(means[1:])
