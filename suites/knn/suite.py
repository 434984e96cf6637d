"""Exact nearest neighbours: for each query the k closest points, or all points within a radius."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from harness.contract import Arrays, Inputs, Output, Probe, Suite, Tolerance, Work, grid
from suites.knn.claims import CLAIMS
from suites.knn.data import choose_radius, draw_points
from suites.knn.probes import best_bin_first, examined, partial_match, visited

REFERENCE_BLOCK = 1 << 21  # distances held at once, 16 MiB
CHECKED_COORDINATES = 3e8  # m * n * d up to which the reference answers in about a second
TINY = np.finfo(np.float64).tiny


def make_inputs(
    rng: np.random.Generator,
    n: int,
    d: int,
    m: int,
    k: int,
    search: str,
    data: str = "uniform",
    metric: str = "l2",
    closed: bool = True,
    radius: float | None = None,
) -> Inputs:
    """Draw ``points`` (n, d) and ``queries`` (m, d).

    Without a ``radius`` a range search gets one that finds about ``k`` points per query and that no distance comes
    close to, so that rounding the inputs to float32 does not change what is inside. ``k`` is used by
    ``search="nearest"`` alone, ``radius`` and ``closed`` by ``search="range"`` alone.
    """
    points, queries = draw_points(rng, data, n, d, m)
    if search == "nearest":
        chosen = 0.0
    else:
        chosen = choose_radius(points, queries, k, metric) if radius is None else float(radius)
    return {
        "points": points,
        "queries": queries,
        "k": k,
        "radius": chosen,
        "closed": closed,
        "search": search,
        "metric": metric,
    }


def reference(
    points: np.ndarray, queries: np.ndarray, k: int, radius: float, closed: bool, search: str, metric: str
) -> Mapping[str, Any]:
    """Brute force with direct differences in float64.

    Answers are in compressed-row form: those of query i are ``distances[offsets[i]:offsets[i + 1]]``, ascending, and
    the ``indices`` of their points. For ``search="nearest"`` every query has ``k`` of them; for ``search="range"``
    all points at a distance ``<= radius`` (``closed``) or ``< radius``.
    """
    if np.isnan(points).any() or np.isnan(queries).any():
        raise ValueError("points and queries must not hold NaN")
    found: list[tuple[np.ndarray, np.ndarray]] = []
    for block in _distance_blocks(points, queries, metric):
        for row in block:
            if search == "nearest":
                chosen = np.argpartition(row, k - 1)[:k]
            else:
                chosen = np.flatnonzero(row <= radius if closed else row < radius)
            chosen = chosen[np.lexsort((chosen, row[chosen]))]
            found.append((row[chosen], chosen))
    counts = [len(chosen) for _, chosen in found]
    return {
        "distances": np.concatenate([distances for distances, _ in found]).astype(np.float64),
        "indices": np.concatenate([chosen for _, chosen in found]).astype(np.int64),
        "offsets": np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
    }


def _distance_blocks(points: np.ndarray, queries: np.ndarray, metric: str) -> Iterator[np.ndarray]:
    """Distances (block, n) of consecutive blocks of queries, one coordinate after another."""
    columns = np.ascontiguousarray(points.T)
    height = max(1, REFERENCE_BLOCK // len(points))
    for start in range(0, len(queries), height):
        block = queries[start : start + height]
        total = np.zeros((len(block), len(points)))
        for coordinate, column in zip(block.T, columns, strict=True):
            difference = np.subtract.outer(coordinate, column)
            if metric == "l2":
                total += np.square(difference, out=difference)
            else:
                np.maximum(total, np.abs(difference, out=difference), out=total)
        yield np.sqrt(total, out=total) if metric == "l2" else total


def measure_errors(outputs: Arrays, expected: Arrays, inputs: Inputs, kind: str) -> Mapping[str, float]:
    """Largest relative error of any distance; indices are right when their points are at the expected distances.

    Ties leave the choice of the index free, so an index is judged by the distance of the point it names; one that is
    out of range or occurs twice in the answer to one query is an infinite error. Zero distances must be zero up to the
    tolerance times the largest distance.
    """
    offset_error = float(np.max(np.abs(outputs["offsets"] - expected["offsets"])))
    errors = {"offsets": offset_error, "distances": np.inf, "indices": np.inf}
    if offset_error:
        return errors
    errors["distances"] = _relative(outputs["distances"], expected["distances"])
    counts = np.diff(expected["offsets"])
    owner = np.repeat(np.arange(len(counts)), counts)
    indices = outputs["indices"]
    n = len(inputs["points"])
    if np.any((indices < 0) | (indices >= n)) or len(np.unique(owner * n + indices)) != len(indices):
        return errors
    # In pieces, because the differences of all answers at once can outgrow the inputs by a factor of k.
    worst, scale = 0.0, float(np.max(expected["distances"], initial=0.0))
    for start in range(0, len(indices), 1 << 16):
        piece = slice(start, start + (1 << 16))
        named = inputs["points"][indices[piece]].astype(np.float64)
        difference = np.abs(named - inputs["queries"][owner[piece]].astype(np.float64))
        far = np.sqrt(np.square(difference).sum(axis=1)) if inputs["metric"] == "l2" else difference.max(axis=1)
        worst = max(worst, _relative(far, expected["distances"][piece], scale))
    errors["indices"] = worst
    return errors


def _relative(found: np.ndarray, expected: np.ndarray, scale: float | None = None) -> float:
    if expected.size == 0:
        return 0.0
    largest = float(expected.max()) if scale is None else scale
    divisor = np.where(expected > 0, expected, largest if largest > 0 else 1.0)
    error = np.abs(found - expected) / np.maximum(divisor, TINY)
    return float(np.max(error)) if np.all(np.isfinite(error)) else np.inf


def work(itemsize: int, n: int, d: int, m: int, k: int, **_: Any) -> Mapping[str, Work]:
    """What no method avoids: reading everything once and evaluating the k distances that are the answer.

    Brute force costs 2 m n d FLOP beyond this, a tree about 3 d per point examined and a dependent load per node.
    """
    return {
        "build": Work(flops=0.0, bytes_read=float(n * d * itemsize)),
        "query": Work(
            flops=3.0 * m * k * d,
            bytes_read=float((m * d + min(n, m * k) * d) * itemsize),
            bytes_written=float(m * k * 16 + (m + 1) * 8),
        ),
    }


def check_case(case: Mapping[str, Any]) -> Mapping[str, Any]:
    """Fewer queries first, then fewer points, so that the reference stays at about a second."""
    n, d, m, k = (int(case[name]) for name in ("n", "d", "m", "k"))
    if n * m * d <= CHECKED_COORDINATES:
        return case
    fewer = min(m, 200)
    return {**case, "m": fewer, "n": max(k, min(n, int(CHECKED_COORDINATES / (fewer * d))))}


DISTANCE = Tolerance({"float64": 1e-9, "float32": 1e-5})
EXACT = Tolerance({"*": 0.0})

ROOT_OF_THREE = math.sqrt(3.0)
SMALL: dict[str, Any] = {"n": [300], "m": [40], "k": [8]}
EDGE_CASES = (
    *grid(**SMALL, d=[3], search=["nearest", "range"], data=["all_equal", "duplicates", "query_is_point", "outside"]),
    *grid(n=[40], d=[3], m=[20], k=[40], search=["nearest"], data=["uniform", "duplicates"]),
    *grid(**SMALL, d=[3], search=["range"], data=["query_is_point"], radius=[0.0], closed=[True, False]),
    *grid(**SMALL, d=[1], search=["nearest", "range"], data=["uniform"]),
    *grid(n=[5], d=[2], m=[7], k=[2], search=["nearest", "range"], data=["uniform"]),
    *grid(n=[1], d=[2], m=[3], k=[1], search=["nearest"], data=["uniform"]),
    # Distances 5, 3 and the root of 3 are frequent on an integer lattice, so that closed and open differ; the square of
    # the rounded root is below 3.
    *grid(
        n=[512],
        d=[3],
        m=[40],
        k=[8],
        search=["range"],
        data=["lattice"],
        radius=[3.0, 5.0, ROOT_OF_THREE],
        closed=[True, False],
    ),
    *grid(**SMALL, d=[3], search=["nearest", "range"], data=["uniform"], metric=["linf"]),
    *grid(
        n=[512],
        d=[3],
        m=[40],
        k=[8],
        search=["range"],
        data=["lattice"],
        metric=["linf"],
        radius=[2.0],
        closed=[True, False],
    ),
    *grid(**SMALL, d=[3, 40], search=["nearest", "range"], data=["far_from_origin"]),
    *grid(n=[900], d=[70], m=[40], k=[8], search=["nearest", "range"], data=["manifold"]),
)

NEAREST: dict[str, Any] = {"k": [8], "search": ["nearest"]}
CASES = (
    *grid(n=[1000, 4000, 16_000], d=[3], m=[500], **NEAREST),
    *grid(n=[4000], d=[3], m=[500], k=[8], search=["range"]),
    *grid("full", n=[65_536, 262_144, 1_048_576], d=[3], m=[500], **NEAREST),
    *grid("full", n=[262_144], d=[3], m=[10_000], k=[8], search=["nearest", "range"]),
    *grid("full", n=[20_000], d=[8, 20, 64], m=[2000], **NEAREST, data=["uniform", "patches"]),
    *grid("full", n=[200_000], d=[5], m=[10_000], k=[8], search=["nearest", "range"], data=["pixels"]),
    *grid("full", n=[200_000], d=[8], m=[10_000], **NEAREST, data=["clusters"]),
    *grid("full", n=[20_000], d=[64], m=[2000], **NEAREST, data=["manifold"]),
    *grid("full", n=[2000], d=[128], m=[1000], k=[2], search=["nearest"], data=["sift"]),
)

SUITE = Suite(
    name="knn",
    title="Exact k-nearest-neighbour and range search",
    cases=CASES,
    make_inputs=make_inputs,
    reference=reference,
    phases={
        "build": (),
        "query": (
            Output("distances", DISTANCE, "float64"),
            Output("indices", DISTANCE, "int64"),
            Output("offsets", EXACT, "int64"),
        ),
    },
    baseline="scipy_kdtree",
    axis="n",
    naive="numpy_brute",
    work=work,
    edge_cases=EDGE_CASES,
    check_case=check_case,
    measure_errors=measure_errors,
    cast=("points", "queries"),
    dtypes={"cpu": ("float64",), "cuda": ("float32",)},
    claims=CLAIMS,
    probes={
        "examined": Probe(examined, "1"),
        "partial_match": Probe(partial_match, "1"),
        "visited": Probe(visited, "1"),
        "best_bin_first": Probe(best_bin_first, "1", timeout_s=900.0),
    },
)
