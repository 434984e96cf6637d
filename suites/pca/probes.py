"""What the claims about principal components count. The numbers come from the implementation that is named.

``implementation.counters`` is, for a randomised method, its range finder ``(table, columns, power_steps, rng)``, which
returns orthonormal columns (n, columns), and for an incremental one its fit ``(x, k, batch)``, which returns mean,
components and variances.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from harness.contract import Implementation, Probe
from suites.pca.data import MAKERS, haar, singular_values, with_singular_values
from suites.pca.judging import cosine_defect

Values = Mapping[str, Sequence[float]]
SUBSPACES, ROTATIONS = 1_000, 100
INSTANCES = 100
DRAWS = 40
STEP_DRAWS = 20
TABLES = 100
ORDERS = 5
COMPONENT_COUNTS = (1, 2, 3, 5, 8, 10, 15, 20, 30, 50, 80, 120)
LEAST_SHARE_OF_RANK = 1e-6
EQUAL = 1e-3


def loss(rng: np.random.Generator, implementation: Implementation, data: str, n: int, d: int, k: int) -> Values:
    """The identity of the loss, and challengers that lose less.

    ``identity_error``: relative difference of the squared reconstruction error from (n - 1) times the variances beyond
    the k-th. ``better``: how many of 1,000 random k-subspaces and 100 small rotations of the components lose less, by
    more than rounding.
    """
    x = MAKERS[data](rng, n, d)
    components, centred = _components(implementation, x, k)
    values = np.linalg.svd(centred, compute_uv=False)
    # Everything is measured in the coordinates of the right singular vectors' triangle, which keeps all lengths.
    triangle = np.asarray(np.linalg.qr(centred, mode="r"))
    own = _captured(triangle, components)
    challengers = [_captured(triangle, haar(rng, d, k).T) for _ in range(SUBSPACES)]
    angles = 10.0 ** rng.uniform(-4, -1, size=ROTATIONS)
    challengers += [_captured(triangle, _rotated(rng, components, triangle, angle)) for angle in angles]
    rounding = 64 * np.finfo(np.float64).eps * float(np.square(triangle).sum())
    return {
        "identity_error": [_identity_error(centred, components, values)],
        "better": [float(np.count_nonzero(np.array(challengers) > own + rounding))],
    }


def identity(rng: np.random.Generator, implementation: Implementation) -> Values:
    """``identity_error``: the largest of 100 random tables of random shape, spectrum and number of components."""
    errors = []
    for _ in range(INSTANCES):
        n, d = int(rng.integers(20, 80)), int(rng.integers(3, 40))
        k = int(rng.integers(1, min(n - 1, d)))
        values = np.sort(rng.exponential(size=min(n - 1, d)))[::-1]
        components, centred = _components(implementation, with_singular_values(rng, n, d, values), k)
        errors.append(_identity_error(centred, components, np.linalg.svd(centred, compute_uv=False)))
    return {"identity_error": [max(errors)]}


def range_error(
    rng: np.random.Generator, implementation: Implementation, data: str, n: int, d: int, k: int, p: int
) -> Values:
    """What a range of k + p columns without power steps misses, over the bounds of Halko, Martinsson and Tropp.

    ``frobenius`` over the bound of their Theorem 10.5, ``spectral`` over that of Theorem 10.6; one per draw.
    """
    x = MAKERS[data](rng, n, d)
    centred = x - x.mean(axis=0)
    values = np.linalg.svd(centred, compute_uv=False)
    tail = math.sqrt(float(np.square(values[k:]).sum()))
    bounds = {
        "frobenius": math.sqrt(1 + k / (p - 1)) * tail,
        "spectral": (1 + math.sqrt(k / (p - 1))) * values[k] + math.e * math.sqrt(k + p) / p * tail,
    }
    found: dict[str, list[float]] = {name: [] for name in bounds}
    for _ in range(DRAWS):
        q = _counters(implementation)(centred, k + p, 0, rng)
        missed = np.linalg.svd(centred - q @ (q.T @ centred), compute_uv=False)
        found["frobenius"].append(float(np.linalg.norm(missed)) / bounds["frobenius"])
        found["spectral"].append(float(missed[0]) / bounds["spectral"])
    return found


def power_steps(
    rng: np.random.Generator, implementation: Implementation, n: int, d: int, k: int, p: int, draws: int = STEP_DRAWS
) -> Values:
    """``error_Q``: largest relative error of the first k singular values 1/j after Q power steps, one per draw."""
    values = singular_values("inverse", min(n - 1, d))
    table = with_singular_values(rng, n, d, values)
    errors: dict[str, list[float]] = {f"error_{steps}": [] for steps in (0, 1, 2, 4)}
    for name, series in errors.items():
        for _ in range(draws):
            q = _counters(implementation)(table, k + p, int(name.removeprefix("error_")), rng)
            found = np.linalg.svd(q.T @ table, compute_uv=False)[:k]
            series.append(float(np.max(np.abs(found - values[:k]) / values[:k])))
    return errors


def lost_values(rng: np.random.Generator, implementation: Implementation, dtype: str, tables: int = TABLES) -> Values:
    """Which singular values, four per decade, come out wrong by more than half.

    ``largest_lost``: the largest of them over the largest of all, one per table. ``slope``: of the logarithm of the
    relative error on that of the singular value, over those that are neither lost nor as exact as the first.
    """
    decades = 16 if dtype == "float64" else 8
    values = 10.0 ** (-np.arange(4 * decades + 1) / 4)
    lost, slopes = [], []
    for _ in range(tables):
        table = with_singular_values(rng, 4 * len(values), len(values), values).astype(dtype)
        _, _, variances = next(iter(implementation.function(table, len(values), 0)))
        found = np.sqrt(np.maximum(variances.astype(np.float64), 0) * (len(table) - 1))
        error = np.abs(found - values) / values
        lost.append(float(values[error > 0.5].max(initial=0.0)))
        model = np.finfo(dtype).eps / values**2 / 2
        between = (model > np.finfo(dtype).eps) & (error < 0.5) & (error > 0) & (values > lost[-1])
        slopes.append(float(np.polyfit(np.log(values[between]), np.log(error[between]), 1)[0]))
    return {"largest_lost": lost, "slope": slopes}


def incremental(
    rng: np.random.Generator, implementation: Implementation, data: str, n: int, d: int, k: int, batch: int
) -> Values:
    """How far an incremental fit is from the exact one, one value per order of the rows.

    ``subspace``: 1 less the cosine of the largest angle; ``variance``: largest relative error of a variance. ``k`` and
    ``batch`` of 0 stand for the rank (singular values above 1e-6 of the largest) and for five rows per component.
    """
    x = MAKERS[data](rng, n, d)
    wanted, vectors = _exact(x)
    k = k or _rank(wanted)
    found: dict[str, list[float]] = {"subspace": [], "variance": []}
    for _ in range(ORDERS):
        _, components, variances = _counters(implementation)(rng.permutation(x), k, batch or 5 * k)
        found["subspace"].append(cosine_defect(components, vectors[:k]))
        found["variance"].append(float(np.max(np.abs(variances - wanted[:k]) / wanted[:k])))
    return found


def smallest_equal(
    rng: np.random.Generator, implementation: Implementation, data: str, n: int, d: int, batch: int
) -> Values:
    """``components``: the least number, of a list that ends with the rank, for which both errors of
    :func:`incremental` are at most 1e-3; d where there is none. One value per order of the rows."""
    x = MAKERS[data](rng, n, d)
    wanted, vectors = _exact(x)
    rank = _rank(wanted)
    least = []
    for _ in range(ORDERS):
        shuffled = rng.permutation(x)
        for k in (*(count for count in COMPONENT_COUNTS if count < min(rank, batch or rank)), min(rank, batch or rank)):
            _, components, variances = _counters(implementation)(shuffled, k, batch or 5 * k)
            error = np.max(np.abs(variances - wanted[:k]) / wanted[:k])
            if error <= EQUAL and cosine_defect(components, vectors[:k]) <= EQUAL:
                least.append(float(k))
                break
        else:
            least.append(float(d))
    return {"components": least}


def _components(implementation: Implementation, x: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """The components of the implementation, and the centred table."""
    mean, components, _ = next(iter(implementation.function(x, k, 0)))
    return components, x - mean


def _identity_error(centred: np.ndarray, components: np.ndarray, values: np.ndarray) -> float:
    missed = centred - centred @ components.T @ components
    least = float(np.square(values[len(components) :]).sum())
    return abs(float(np.square(missed).sum()) - least) / least


def _captured(triangle: np.ndarray, directions: np.ndarray) -> float:
    return float(np.square(triangle @ directions.T).sum())


def _rotated(rng: np.random.Generator, components: np.ndarray, triangle: np.ndarray, angle: float) -> np.ndarray:
    """The components turned by ``angle`` towards random directions outside their span.

    Those are random sums of the table's rows: where there is variance left to gain, they point to it.
    """
    outside = rng.normal(size=(len(components), len(triangle))) @ triangle
    outside -= outside @ components.T @ components
    outside /= np.linalg.norm(outside)
    return np.asarray(np.linalg.qr((components + angle * outside).T)[0].T)


def _exact(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """All variances, and all components as rows."""
    _, values, vectors = np.linalg.svd(x - x.mean(axis=0), full_matrices=False)
    return values**2 / (len(x) - 1), vectors


def _rank(variances: np.ndarray) -> int:
    return int(np.count_nonzero(variances > LEAST_SHARE_OF_RANK**2 * variances[0]))


def _counters(implementation: Implementation) -> Any:
    if implementation.counters is None:
        raise ValueError(f"{implementation.function.__module__} has no counters")
    return implementation.counters


PROBES: Mapping[str, Probe] = {
    "loss": Probe(loss, unit="1"),
    "identity": Probe(identity, unit="1"),
    "range_error": Probe(range_error, unit="1"),
    "power_steps": Probe(power_steps, unit="1"),
    "lost_values": Probe(lost_values, unit="1"),
    "incremental": Probe(incremental, unit="1", timeout_s=900.0),
    "smallest_equal": Probe(smallest_equal, unit="components", timeout_s=900.0),
}
