"""What this machine can do at best: matrix multiplication per dtype and copy bandwidth, measured here."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

# Large enough for the best rate of all threads, and on a GPU to outlast a launch by a hundred times.
MATMUL_SIZE = {"cpu": 1024, "cuda": 8192}
MATMUL_SIZE_MANY_THREADS = 4096
MANY_THREADS = 8
# Far larger than the last-level cache.
COPY_BYTES = {"cpu": 256 * 2**20, "cuda": 2**30}
REPEATS = 5
# The system leaves two threads on one CPU for a tenth of a second and more before it moves one of them.
LEAST_S = 0.5


@dataclass(frozen=True)
class Ceiling:
    """The best rates seen for one device, dtype and number of threads."""

    device: str
    dtype: str
    threads: int
    matmul_flops_per_s: float
    copy_bytes_per_s: float


def measure_ceiling(device: str, dtype: str, threads: int) -> Ceiling:
    """Measure with the thread limits already set; on a CPU the better of NumPy's and torch's BLAS counts.

    Copy bandwidth counts bytes read and written, over arrays far larger than the last-level cache.
    """
    size = MATMUL_SIZE_MANY_THREADS if device == "cpu" and threads > MANY_THREADS else MATMUL_SIZE[device]
    matmuls = [_torch_matmul(device, dtype, size)]
    if device == "cpu" and dtype in ("float32", "float64"):
        matmuls.append(_numpy_matmul(dtype, size))
    flops = 2.0 * size**3
    return Ceiling(
        device=device,
        dtype=dtype,
        threads=threads,
        matmul_flops_per_s=flops / min(_best_s(matmul) for matmul in matmuls),
        copy_bytes_per_s=2.0 * COPY_BYTES[device] / _best_s(_copy(device)),
    )


def _torch_matmul(device: str, dtype: str, size: int) -> Callable[[], Any]:
    import torch

    left = torch.rand(size, size, device=device).to(getattr(torch, dtype))
    right = torch.rand(size, size, device=device).to(getattr(torch, dtype))
    result = torch.empty_like(left)

    def matmul() -> None:
        torch.mm(left, right, out=result)
        _synchronise(device)

    return matmul


def _numpy_matmul(dtype: str, size: int) -> Callable[[], Any]:
    rng = np.random.default_rng(0)
    left = rng.random((size, size)).astype(dtype)
    right = rng.random((size, size)).astype(dtype)
    result = np.empty_like(left)
    return lambda: np.matmul(left, right, out=result)


def _copy(device: str) -> Callable[[], Any]:
    import torch

    source = torch.zeros(COPY_BYTES[device] // 4, dtype=torch.float32, device=device)
    target = torch.empty_like(source)

    def copy() -> None:
        target.copy_(source)
        _synchronise(device)

    return copy


def _synchronise(device: str) -> None:
    if device == "cuda":
        import torch

        torch.cuda.synchronize()


def _best_s(call: Callable[[], Any]) -> float:
    call()
    durations: list[float] = []
    end = time.perf_counter() + LEAST_S
    while len(durations) < REPEATS or time.perf_counter() < end:
        begin = time.perf_counter()
        call()
        durations.append(time.perf_counter() - begin)
    return min(durations)
