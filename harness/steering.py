"""Environment variables that make libraries compute in another way than they would choose on this machine.

They pass on to every worker, and what they change is part of what was measured: with ``OPENBLAS_CORETYPE`` of an older
CPU a matrix product may take half as long again.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath

from harness.privacy import this_process

_PRELOADED = "LD_PRELOAD"
STEERING_VARIABLES: Mapping[str, str] = {
    "OPENBLAS_CORETYPE": "the CPU for which OpenBLAS computes",
    "OPENBLAS_L2_SIZE": "the cache for which OpenBLAS computes",
    "OPENBLAS_THREAD_TIMEOUT": "how threads of OpenBLAS wait",
    "MKL_ENABLE_INSTRUCTIONS": "the instructions that MKL uses",
    "MKL_DEBUG_CPU_TYPE": "the CPU for which MKL computes",
    "MKL_CBWR": "the instructions that MKL uses",
    "BLIS_ARCH_TYPE": "the CPU for which BLIS computes",
    "DNNL_MAX_CPU_ISA": "the instructions that oneDNN uses",
    "ONEDNN_MAX_CPU_ISA": "the instructions that oneDNN uses",
    "ATEN_CPU_CAPABILITY": "the instructions that torch uses",
    "NPY_DISABLE_CPU_FEATURES": "the instructions that NumPy uses",
    "NPY_ENABLE_CPU_FEATURES": "the instructions that NumPy uses",
    "NUMBA_CPU_NAME": "the CPU for which Numba compiles",
    "NUMBA_CPU_FEATURES": "the instructions that Numba uses",
    "NUMBA_DISABLE_JIT": "whether Numba compiles",
    "NUMBA_OPT": "how Numba optimises",
    "NUMBA_BOUNDSCHECK": "whether Numba checks indices",
    "NUMBA_THREADING_LAYER": "how Numba's threads are run",
    "OMP_DYNAMIC": "how many threads OpenMP uses",
    "OMP_PROC_BIND": "where threads of OpenMP run",
    "OMP_PLACES": "where threads of OpenMP run",
    "OMP_WAIT_POLICY": "how threads of OpenMP wait",
    "GOMP_CPU_AFFINITY": "where threads of OpenMP run",
    "GOMP_SPINCOUNT": "how threads of OpenMP wait",
    "KMP_AFFINITY": "where threads of OpenMP run",
    "KMP_BLOCKTIME": "how threads of OpenMP wait",
    "GLIBC_TUNABLES": "how memory is allocated and copied",
    _PRELOADED: "libraries that take the place of others",
    "PYTHONMALLOC": "how Python allocates memory",
    "PYTHONDEVMODE": "what Python checks beside running",
    "CUDA_LAUNCH_BLOCKING": "whether kernels run beside the program",
    "NVIDIA_TF32_OVERRIDE": "the precision of GPU matrix products",
    "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE": "the precision of GPU matrix products",
    "CUBLAS_WORKSPACE_CONFIG": "which GPU matrix products may be used",
    "PYTORCH_CUDA_ALLOC_CONF": "how torch allocates GPU memory",
    "PYTORCH_ALLOC_CONF": "how torch allocates GPU memory",
}
"""What each steers."""


def steering_variables(environment: Mapping[str, str]) -> dict[str, str]:
    """Those of :data:`STEERING_VARIABLES` that are set, with values in which no folder and no name is left."""
    found = {name: environment[name] for name in STEERING_VARIABLES if environment.get(name)}
    if _PRELOADED in found:
        paths = found[_PRELOADED].replace(":", " ").split()  # either separates them (ld.so(8))
        found[_PRELOADED] = " ".join(PurePath(path).name for path in paths)
    return {name: this_process().text(value) for name, value in found.items()}
