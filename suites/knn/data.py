"""Points and queries: synthetic distributions, and pixels, patches and SIFT descriptors of scikit-image's images."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

Drawn = tuple[np.ndarray, np.ndarray]

PATCH_SIDE = 8
LATTICE_SIDE = 8
CLUSTERS, CLUSTER_SPREAD = 100, 0.02
FAR_OFFSET = 1e3
# Below scikit-image's default contrast threshold of 0.04/3 a 512 x 512 image gives some 2,000 key points.
CONTRAST = 0.004 / 3
MANY_CONTRAST = 0.001 / 3
MANY_SIFT = 100_000
MANY_IMAGES = (
    *("grass", "gravel", "brick", "moon", "camera"),
    *("retina", "hubble_deep_field", "immunohistochemistry", "coffee", "rocket"),
)
RECIPE = 1  # part of the file name of stored descriptors; raise it when they are made in another way
# Degrees turned and scale of the second views.
VIEWS = ((8, 0.95), (15, 0.9), (22, 0.85))
RADIUS_SAMPLE, GAP_PAIRS = 64, 4_000_000


def draw_points(rng: np.random.Generator, data: str, n: int, d: int, m: int) -> Drawn:
    """Points (n, d) and queries (m, d), float64, in random order.

    :raises ValueError: the name is unknown, or real data has fewer rows or another number of dimensions.
    """
    if data not in SOURCES:
        raise ValueError(f"unknown data {data!r}; there are {', '.join(SOURCES)}")
    points, queries = SOURCES[data](rng, n, d, m)
    return np.ascontiguousarray(points, dtype=np.float64), np.ascontiguousarray(queries, dtype=np.float64)


def choose_radius(points: np.ndarray, queries: np.ndarray, k: int, metric: str) -> float:
    """A radius near the median distance of the k-th neighbour, in the middle of the widest gap between distances.

    Where there are too many pairs to look at all of them, between those of a sample of the queries.
    """
    order = 2.0 if metric == "l2" else np.inf
    sample = queries[:: max(1, len(queries) // RADIUS_SAMPLE)]
    rank = min(k, len(points)) - 1
    distances = [np.sort(np.linalg.norm(points - query, ord=order, axis=1)) for query in sample]
    middle = float(np.median([row[rank] for row in distances]))
    if len(points) * len(queries) <= GAP_PAIRS:
        distances = [np.linalg.norm(points - query, ord=order, axis=1) for query in queries]
    kept = np.concatenate([row[np.abs(row - middle) < 0.05 * middle] for row in distances])
    edges = np.sort(np.concatenate([kept, [0.95 * middle, 1.05 * middle]]))
    widest = int(np.argmax(np.diff(edges)))
    return float(edges[widest] + edges[widest + 1]) / 2


def _uniform(rng: np.random.Generator, n: int, d: int, m: int) -> Drawn:
    return rng.random((n, d)), rng.random((m, d))


def _clusters(rng: np.random.Generator, n: int, d: int, m: int) -> Drawn:
    centres = rng.random((CLUSTERS, d))
    rows = centres[rng.integers(CLUSTERS, size=n + m)] + rng.normal(scale=CLUSTER_SPREAD, size=(n + m, d))
    return rows[:n], rows[n:]


def _manifold(rng: np.random.Generator, n: int, d: int, m: int) -> Drawn:
    """Three intrinsic dimensions, mapped linearly plus a sine into d."""
    inner = rng.random((n + m, 3))
    linear, waves = rng.normal(size=(3, d)), rng.normal(size=(3, d))
    rows = inner @ linear + 0.2 * np.sin(4.0 * inner @ waves)
    return rows[:n], rows[n:]


def _all_equal(rng: np.random.Generator, n: int, d: int, m: int) -> Drawn:
    return np.tile(rng.random(d), (n, 1)), rng.random((m, d))


def _duplicates(rng: np.random.Generator, n: int, d: int, m: int) -> Drawn:
    distinct = rng.random((max(1, n // 10), d))
    points = distinct[rng.integers(len(distinct), size=n)]
    return points, np.concatenate([points[: m // 2], rng.random((m - m // 2, d))])


def _query_is_point(rng: np.random.Generator, n: int, d: int, m: int) -> Drawn:
    points = rng.random((n, d))
    return points, points[rng.permutation(n)[:m]].copy()


def _outside(rng: np.random.Generator, n: int, d: int, m: int) -> Drawn:
    """Queries around the points' bounding box, none inside it."""
    queries = rng.uniform(-3.0, 4.0, size=(m, d))
    queries[:, 0] = np.where(rng.random(m) < 0.5, -1.0, 2.0)
    return rng.random((n, d)), queries


def _lattice(rng: np.random.Generator, n: int, d: int, m: int) -> Drawn:
    """Integer coordinates, so that distances equal to an integer radius occur exactly in any dtype."""
    side = np.arange(float(LATTICE_SIDE))
    points = np.stack(np.meshgrid(*[side] * d, indexing="ij"), axis=-1).reshape(-1, d)
    if len(points) < n:
        raise ValueError(f"a lattice in {d} dimensions has {len(points)} points, not {n}")
    return rng.permutation(points)[:n], rng.integers(LATTICE_SIDE, size=(m, d)).astype(np.float64)


def _far_from_origin(rng: np.random.Generator, n: int, d: int, m: int) -> Drawn:
    """Near neighbours far from the origin, where the expanded square cancels.

    Multiples of 2^-13 around 1000, which float32 holds exactly.
    """
    rows = FAR_OFFSET + rng.integers(8192, size=(n + m, d)) / 8192
    return rows[:n], rows[n:]


def _pixels(rng: np.random.Generator, n: int, d: int, m: int) -> Drawn:
    """(x, y, grey) or (x, y, r, g, b) of the coffee image, or of the retina where that has too few pixels."""
    image = _image("coffee" if n + m <= 400 * 600 else "retina")
    height, width, _ = image.shape
    chosen = _sample(rng, height * width, n + m)
    colours = image.reshape(-1, 3)[chosen].astype(np.float64)
    if d not in (3, 5):
        raise ValueError(f"pixels have 3 or 5 dimensions, not {d}")
    values = colours @ np.array([[0.299], [0.587], [0.114]]) if d == 3 else colours
    rows = np.column_stack([chosen % width, chosen // width, values])
    return rows[:n], rows[n:]


def _patches(rng: np.random.Generator, n: int, d: int, m: int) -> Drawn:
    """8 x 8 grey patches of retina and hubble, projected on their first d principal components.

    The mean over all patches is subtracted, the mean of each patch is not.
    """
    if not 1 <= d <= PATCH_SIDE**2:
        raise ValueError(f"patches have up to {PATCH_SIDE**2} dimensions, not {d}")
    windows = [
        np.lib.stride_tricks.sliding_window_view(_grey(name), (PATCH_SIDE, PATCH_SIDE))
        for name in ("retina", "hubble_deep_field")
    ]
    sizes = [view.shape[0] * view.shape[1] for view in windows]
    chosen = _sample(rng, sum(sizes), n + m)
    rows = np.empty((n + m, PATCH_SIDE**2))
    first = chosen < sizes[0]
    for view, mask, start in ((windows[0], first, 0), (windows[1], ~first, sizes[0])):
        y, x = np.divmod(chosen[mask] - start, view.shape[1])
        rows[mask] = view[y, x].reshape(-1, PATCH_SIDE**2)
    rows -= rows.mean(axis=0)
    _, vectors = np.linalg.eigh(rows.T @ rows)
    rows = rows @ vectors[:, ::-1][:, :d]
    return rows[:n], rows[n:]


def _sift(rng: np.random.Generator, n: int, d: int, m: int) -> Drawn:
    """SIFT descriptors of the astronaut as points, those of a turned and shrunk view of it as queries."""
    view = VIEWS[rng.integers(len(VIEWS))]
    return _pick(rng, _describe_view(0, 1.0), n, d), _pick(rng, _describe_view(*view), m, d)


def _many_sift(rng: np.random.Generator, n: int, d: int, m: int) -> Drawn:
    """The descriptors of `_sift` among some 100,000 others, of several images at several scales."""
    own = _describe_view(0, 1.0)
    queries = _pick(rng, _describe_view(*VIEWS[rng.integers(len(VIEWS))]), m, d)
    others = _cached(f"others-{MANY_SIFT}", _describe_many)
    points = np.concatenate([own, _pick(rng, others, n - len(own), d)])
    return rng.permutation(points), queries


def describe(picture: np.ndarray, contrast: float) -> np.ndarray:
    """SIFT descriptors (keypoints, 128) of a grey image, float64 with the integer values of scikit-image."""
    from skimage import feature

    library: Any = feature
    detector = library.SIFT(c_dog=contrast)
    detector.detect_and_extract(picture)
    return np.asarray(detector.descriptors, dtype=np.float64)


def _describe_view(degrees: int, scale: float) -> np.ndarray:
    """Descriptors of the astronaut turned and scaled about its middle."""
    from skimage import transform

    library: Any = transform

    def make() -> np.ndarray:
        picture = _grey("astronaut")
        if not degrees:
            return describe(picture, CONTRAST)
        middle = np.array(picture.shape[::-1]) / 2
        turned = library.SimilarityTransform(scale=scale, rotation=np.deg2rad(degrees))
        there = library.SimilarityTransform(translation=-middle) + turned
        back = (there + library.SimilarityTransform(translation=middle)).inverse
        return describe(library.warp(picture, back, mode="edge"), CONTRAST)

    return _cached(f"astronaut-{degrees}-{scale}", make)


def _describe_many() -> np.ndarray:
    from skimage import transform

    library: Any = transform
    found: list[np.ndarray] = []
    for scale in (1.0, 0.8, 0.6):
        for name in MANY_IMAGES:
            found.append(describe(library.rescale(_grey(name), scale, anti_aliasing=True), MANY_CONTRAST))
            if sum(map(len, found)) >= MANY_SIFT:
                return np.concatenate(found)
    return np.concatenate(found)


def _image(name: str) -> np.ndarray:
    """An image that scikit-image carries in its package, so that nothing is downloaded."""
    from skimage import data

    return np.asarray(getattr(data, name)())


def _grey(name: str) -> np.ndarray:
    from skimage import color

    library: Any = color
    image = _image(name)
    return np.asarray(library.rgb2gray(image) if image.ndim == 3 else image / 255.0)


def _pick(rng: np.random.Generator, rows: np.ndarray, count: int, d: int) -> np.ndarray:
    if d != rows.shape[1]:
        raise ValueError(f"the descriptors have {rows.shape[1]} dimensions, not {d}")
    return np.asarray(rows[_sample(rng, len(rows), count)])


def _sample(rng: np.random.Generator, available: int, count: int) -> np.ndarray:
    if count > available:
        raise ValueError(f"the data has {available} rows, not {count}")
    return rng.permutation(available)[:count]


def _cached(name: str, make: Callable[[], np.ndarray]) -> np.ndarray:
    """What ``make`` returns, kept on disk: seconds to minutes of work that each worker would otherwise repeat."""
    from importlib.metadata import version

    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "bakeoff"
    path = folder / f"sift-{RECIPE}-{version('scikit-image')}-{name}.npy"
    if path.is_file():
        return np.asarray(np.load(path), dtype=np.float64)
    rows = make()
    with contextlib.suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder, suffix=".npy", delete=False) as file:
            np.save(file, rows.astype(np.uint8))
        Path(file.name).replace(path)
    return rows


SOURCES: dict[str, Callable[[np.random.Generator, int, int, int], Drawn]] = {
    "uniform": _uniform,
    "clusters": _clusters,
    "manifold": _manifold,
    "all_equal": _all_equal,
    "duplicates": _duplicates,
    "query_is_point": _query_is_point,
    "outside": _outside,
    "lattice": _lattice,
    "far_from_origin": _far_from_origin,
    "pixels": _pixels,
    "patches": _patches,
    "sift": _sift,
    "many_sift": _many_sift,
}
