"""One number of threads for every library of a process."""

from __future__ import annotations

import os
import sys

_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS")


def limit_threads(threads: int) -> None:
    """Limit the libraries that are already imported, and through the environment those that will be."""
    for variable in _VARIABLES:
        os.environ[variable] = str(threads)
    # numba first: starting its threading layer sets the OpenMP limit that torch shares back to all CPUs.
    if "numba" in sys.modules:
        import numba

        numba.set_num_threads(min(threads, int(numba.config.NUMBA_NUM_THREADS)))  # type: ignore[attr-defined]
    else:
        os.environ["NUMBA_NUM_THREADS"] = str(threads)
    import threadpoolctl

    threadpoolctl.threadpool_limits(limits=threads)
    if "torch" in sys.modules:
        import torch

        torch.set_num_threads(threads)
