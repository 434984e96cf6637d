"""Principal component analysis: the k directions of largest variance (Hotelling 1933; Eckart and Young 1936).

For a table X (n, d) with mean m, the components V (k, d) are the first k right singular vectors of X - m, as
orthonormal rows, and the variances are sigma_j^2 / (n - 1), descending. The sign of a component is free; all
implementations make its entry of largest absolute value positive, the first one where several are as large.

``fit`` delivers mean, components and variances, ``transform`` the scores (X - m) V^T of the same table. A single row
has no variance: implementations raise ``ValueError``.

What a pass over X costs: 2 (k + p) FLOP per entry of ``itemsize`` bytes in a randomised method with k + p columns, so
it waits for memory where k + p is below itemsize / 2 times the ratio of FLOP/s to bytes/s that the machine reaches.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from harness.contract import Case, Inputs, Output, Suite, Tolerance, Work, grid
from suites.pca.claims import CLAIMS
from suites.pca.data import MAKERS, REAL
from suites.pca.judging import measure_errors
from suites.pca.probes import PROBES

OVERSAMPLES = 10
LARGEST_CHECKED_SVD = 3e7
"""n d min(n, d) up to which the reference answers in some 20 ms."""


def make_inputs(rng: np.random.Generator, *, n: int, d: int, k: int, data: str = "inverse") -> Inputs:
    """A table (n, d), the number of components, and a seed for implementations that draw.

    :param data: a maker of :mod:`suites.pca.data`.
    """
    return {"x": MAKERS[data](rng, n, d), "k": k, "seed": int(rng.integers(2**31))}


def reference(x: np.ndarray, k: int, seed: int) -> Mapping[str, Any]:
    """Singular value decomposition of the centred table in float64 by LAPACK's gesdd.

    :raises ValueError: there are fewer than two rows.
    """
    from scipy.linalg import svd

    if len(x) < 2:
        raise ValueError(f"variances need at least two rows, not {len(x)}")
    mean = x.mean(axis=0)
    centred = x - mean
    _, values, vectors = svd(centred, full_matrices=False)
    components = vectors[:k]
    largest = components[np.arange(k), np.argmax(np.abs(components), axis=1)]
    components = components * np.where(largest < 0, -1.0, 1.0)[:, None]
    return {
        "mean": mean,
        "components": components,
        "explained_variance": values[:k] ** 2 / (len(x) - 1),
        "scores": centred @ components.T,
    }


def work(itemsize: int, *, n: int, d: int, k: int, **_: Any) -> Mapping[str, Work]:
    """The cheapest of the known ways: all inner products, or a randomised subspace with two passes over the table."""
    products = n * d * min(n, d)
    passes = 4.0 * n * d * (k + OVERSAMPLES)
    table = float(n * d * itemsize)
    return {
        "fit": Work(min(float(products), passes), bytes_read=table, bytes_written=float((k + 1) * d * itemsize)),
        "transform": Work(2.0 * n * d * k, bytes_read=table, bytes_written=float(n * k * itemsize)),
    }


def check_case(case: Mapping[str, Any]) -> Mapping[str, Any]:
    """A table of the same proportions on which the reference takes a fraction of a second; real ones lose rows only."""
    n, d, k = (int(case[name]) for name in ("n", "d", "k"))
    size = n * d * min(n, d)
    if size <= LARGEST_CHECKED_SVD:
        return case
    if case.get("data") in REAL:
        return {**case, "n": max(4 * k, int(LARGEST_CHECKED_SVD / d**2))}
    factor = (LARGEST_CHECKED_SVD / size) ** (1 / 3)
    return {**case, "n": max(4 * k, int(n * factor)), "d": max(4 * k, int(d * factor))}


SMALL: dict[str, Any] = {"n": [60], "d": [20], "k": [5]}
EDGE_CASES = (
    *grid(**SMALL, data=["pairs", "rank_three", "constant_columns", "far_mean", "all_equal", "exponential"]),
    *grid(n=[30], d=[8], k=[8], data=["inverse"]),
    *grid(n=[12], d=[40], k=[4], data=["inverse"]),
    *grid(n=[6], d=[9], k=[6], data=["inverse"]),
    Case.of({"n": 2, "d": 3, "k": 1}),
    Case.of({"n": 9, "d": 1, "k": 1}),
    *grid(n=[300], d=[64], k=[10], data=["digits"]),
)
CASES = (
    *grid(n=[500, 2_000, 8_000], d=[64], k=[8]),
    *grid(n=[400], d=[400], k=[10]),
    *grid("full", n=[1_024, 4_096, 16_384, 65_536], d=[256], k=[10]),
    *grid("full", n=[16_384], d=[64, 128, 512, 1_024], k=[10]),
    *(Case.of({"n": n, "d": d, "k": 10}, "full") for n, d in ((1_414, 1_414), (4_000, 500), (16_000, 125))),
    Case.of({"n": 1_797, "d": 64, "k": 10, "data": "digits"}, "full"),
    Case.of({"n": 100_000, "d": 64, "k": 10, "data": "patches"}, "full"),
    Case.of({"n": 200, "d": 625, "k": 10, "data": "lfw"}, "full"),
)
SHARE = Tolerance({"*": 1.0})

SUITE = Suite(
    name="pca",
    title="Principal component analysis: exact, covariance, randomised, Krylov, incremental",
    cases=CASES,
    make_inputs=make_inputs,
    reference=reference,
    phases={
        "fit": (Output("mean", SHARE), Output("components", SHARE), Output("explained_variance", SHARE)),
        "transform": (Output("scores", SHARE),),
    },
    baseline="sklearn_full",
    axis="n",
    naive="numpy_power",
    work=work,
    edge_cases=EDGE_CASES,
    check_case=check_case,
    measure_errors=measure_errors,
    dtypes={"cpu": ("float64",), "cuda": ("float32",)},
    claims=CLAIMS,
    probes=PROBES,
    call_timeout_s=120.0,
)
