"""One number of threads for every library of a process."""

from __future__ import annotations

import os
import sys
from collections.abc import Set
from contextlib import suppress
from pathlib import Path

from threadpoolctl import ThreadpoolController

_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS")


def limit_threads(threads: int, pools: ThreadpoolController | None = None) -> None:
    """Limit the libraries that are already imported, and through the environment those that will be.

    :param pools: of all libraries that are imported, if they have been looked for already.
    """
    for variable in _VARIABLES:
        os.environ[variable] = str(threads)
    # numba first: starting its threading layer sets the OpenMP limit that torch shares back to all CPUs.
    if "numba" in sys.modules:
        import numba

        numba.set_num_threads(min(threads, int(numba.config.NUMBA_NUM_THREADS)))  # type: ignore[attr-defined]
    else:
        os.environ["NUMBA_NUM_THREADS"] = str(threads)
    for pool in (pools or ThreadpoolController()).lib_controllers:
        pool.set_num_threads(threads)
    if "torch" in sys.modules:
        import torch

        torch.set_num_threads(threads)


def has_raised_limits(threads: int, cpus: Set[int]) -> bool:
    """Whether a library may use more than ``threads`` now, or a thread of this process another CPU than ``cpus``."""
    counts = [int(pool["num_threads"]) for pool in ThreadpoolController().info()]
    if "numba" in sys.modules:
        import numba

        counts.append(numba.get_num_threads())
    if "torch" in sys.modules:
        import torch

        counts.append(torch.get_num_threads())
    return max(counts, default=0) > threads or not allowed_cpus() <= cpus


def allowed_cpus() -> Set[int]:
    """The CPUs that any thread of this process may run on; none where the system does not tell."""
    cpus: set[int] = set()
    if hasattr(os, "sched_getaffinity"):
        for thread in Path("/proc/self/task").iterdir():
            with suppress(ProcessLookupError):
                cpus |= os.sched_getaffinity(int(thread.name))
    return cpus
