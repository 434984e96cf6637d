"""Data for principal components: given spectra, digits, image patches, faces, and awkward small tables.

Every maker takes ``(rng, n, d)`` and returns the table (n, d) in float64. Rows of real tables come in random order.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Maker = Callable[[np.random.Generator, int, int], np.ndarray]

PATCH_SIDE = 8
FAR_OFFSET = 500.0
"""Mean over spread: float32 still holds the spread, and float64 still loses of it in a sum of squares."""


def haar(rng: np.random.Generator, rows: int, columns: int, centred: bool = False) -> np.ndarray:
    """Orthonormal columns (rows, columns) of uniform distribution; ``centred`` ones are orthogonal to all ones too.

    :raises ValueError: there are fewer dimensions than columns.
    """
    if columns > rows - centred:
        raise ValueError(f"{rows} dimensions have no {columns} orthonormal directions{' about a mean' * centred}")
    gaussian = rng.normal(size=(rows, columns))
    if centred:
        gaussian -= gaussian.mean(axis=0)
    if rows < 4 * columns:
        return np.asarray(np.linalg.qr(gaussian)[0])
    # A tall Gaussian matrix is well conditioned, so that the Cholesky factor of its Gram matrix is accurate.
    return np.asarray(gaussian @ np.linalg.inv(np.linalg.cholesky(gaussian.T @ gaussian)).T)


def singular_values(spectrum: str, count: int) -> np.ndarray:
    """The first ``count`` singular values of a named spectrum, the largest being 1.

    :raises ValueError: the name is unknown.
    """
    ranks = np.arange(1.0, count + 1)
    match spectrum:
        case "inverse":
            return np.asarray(1 / ranks)
        case "exponential":
            return np.asarray(2.0 ** (-(ranks - 1) / 8))
        case "step":
            return np.where(ranks <= 20, 1.0, 1e-3)
        case "pairs":
            return np.asarray(0.5 ** np.floor((ranks - 1) / 2))
        case "rank_three":
            return np.where(ranks <= 3, 1 / ranks, 0.0)
    raise ValueError(f"unknown spectrum {spectrum!r}")


def with_singular_values(rng: np.random.Generator, n: int, d: int, values: np.ndarray) -> np.ndarray:
    """A table (n, d) of mean 0 with exactly these singular values and uniformly distributed singular vectors."""
    return np.asarray((haar(rng, n, len(values), centred=True) * values) @ haar(rng, d, len(values)).T)


def _spectrum(name: str) -> Maker:
    def make(rng: np.random.Generator, n: int, d: int) -> np.ndarray:
        values = np.sqrt(n - 1) * singular_values(name, min(n - 1, d))
        # A mean about as long as the first standard deviation: not to be forgotten, and nothing to cancel.
        return np.asarray(with_singular_values(rng, n, d, values) + rng.normal(size=d) / np.sqrt(d))

    return make


def _digits(rng: np.random.Generator, n: int, d: int) -> np.ndarray:
    """1,797 images of handwritten digits, 8 x 8 pixels of 0 to 16."""
    from sklearn.datasets import load_digits

    return _rows(rng, load_digits().data, n, d)


def _lfw(rng: np.random.Generator, n: int, d: int) -> np.ndarray:
    """200 pictures of 25 x 25 pixels, half of them faces."""
    from skimage import data

    library: Any = data
    pictures = np.asarray(library.lfw_subset())
    return _rows(rng, pictures.reshape(len(pictures), -1), n, d)


def _patches(rng: np.random.Generator, n: int, d: int) -> np.ndarray:
    """Grey patches of 8 x 8 pixels of the pictures retina and hubble; the mean of each patch is not subtracted."""
    from skimage import color, data

    library: Any = data

    views = [
        np.lib.stride_tricks.sliding_window_view(color.rgb2gray(getattr(library, picture)()), (PATCH_SIDE, PATCH_SIDE))
        for picture in ("retina", "hubble_deep_field")
    ]
    rows = []
    for view, count in zip(views, (n - n // 2, n // 2), strict=True):
        places = rng.permutation(view.shape[0] * view.shape[1])[:count]
        y, x = np.divmod(places, view.shape[1])
        rows.append(view[y, x].reshape(-1, PATCH_SIDE**2))
    return _rows(rng, np.concatenate(rows), n, d)


def _rows(rng: np.random.Generator, table: np.ndarray, n: int, d: int) -> np.ndarray:
    if n > len(table) or d != table.shape[1]:
        raise ValueError(f"the data has {table.shape[0]} rows of {table.shape[1]}, not {n} rows of {d}")
    return np.asarray(table[rng.permutation(len(table))[:n]], dtype=np.float64)


def _far_mean(rng: np.random.Generator, n: int, d: int) -> np.ndarray:
    """A spread of about 1 around a mean of hundreds, in steps that float32 holds."""
    spread = np.rint(256 * _spectrum("inverse")(rng, n, d)) / 256
    return np.asarray(spread + FAR_OFFSET * np.sign(rng.normal(size=d)))


def _constant_columns(rng: np.random.Generator, n: int, d: int) -> np.ndarray:
    """Every third column never changes."""
    table = _spectrum("inverse")(rng, n, d)
    table[:, ::3] = 2.5
    return table


def _all_equal(rng: np.random.Generator, n: int, d: int) -> np.ndarray:
    """One row, repeated; every direction is as good as any other and explains nothing."""
    return np.tile(np.rint(8 * rng.normal(size=d)) / 8, (n, 1))


MAKERS: dict[str, Maker] = {
    **{name: _spectrum(name) for name in ("inverse", "exponential", "step", "pairs", "rank_three")},
    "digits": _digits,
    "patches": _patches,
    "lfw": _lfw,
    "far_mean": _far_mean,
    "constant_columns": _constant_columns,
    "all_equal": _all_equal,
}
REAL = ("digits", "patches", "lfw")
