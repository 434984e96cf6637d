"""The answers in closed form or by other libraries than implementations use, exact whole numbers all."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import numpy as np

from suites.concurrency.ballast import Ballast
from suites.concurrency.job import (
    ATTRIBUTE_STEP,
    DIGEST_BYTES,
    INCREMENT,
    KEY_STEP,
    KEYS,
    MODULUS,
    MULTIPLIER,
    PAGE_BYTES,
    Job,
)

_BLOCK_BYTES = 1_000


def reference(data: np.ndarray, seeds: np.ndarray, job: Job, ballast: Ballast) -> dict[str, np.ndarray]:
    """``checksums`` int64 (pieces,).

    :param data: numbers to sum or transfer (size / 8 or size,), bytes (size,) or an image (size, columns).
    :param seeds: int64 (pieces,).
    :param ballast: memory that the caller holds; the answer has nothing to do with it.
    """
    answers = []
    for piece in range(job.pieces):
        first, last = job.bounds(piece)
        seed = int(seeds[piece])
        if job.task in _OF_STEPS:
            answers.append(_OF_STEPS[job.task](seed, last - first))
        elif job.task == "wait":
            answers.append(piece + 1)
        elif job.task == "filter":
            answers.append(_filtered(data, first, last))
        elif job.task == "transfer":
            answers.append(int(data[np.arange(0, len(data), PAGE_BYTES // data.itemsize)].sum()))
        else:
            answers.append(_OF_ARRAY[job.task](data[first:last]))
    return {"checksums": np.array(answers, dtype=np.int64)}


def _python(seed: int, steps: int) -> int:
    """The affine map applied ``steps`` times, by squaring it."""
    total_factor, total_shift = 1, 0
    factor, shift = MULTIPLIER, INCREMENT
    while steps:
        if steps & 1:
            total_factor, total_shift = factor * total_factor % MODULUS, (factor * total_shift + shift) % MODULUS
        factor, shift = factor * factor % MODULUS, (factor * shift + shift) % MODULUS
        steps >>= 1
    return (total_factor * seed + total_shift) % MODULUS


def _dict(seed: int, steps: int) -> int:
    order = np.arange(steps, dtype=np.int64)
    return int(np.sum((seed + KEY_STEP * order) % KEYS * order) % MODULUS)


def _attributes(seed: int, steps: int) -> int:
    """x and y begin with the seed and its lowest byte; y grows by 3, so x has gained an arithmetic series."""
    y = seed & 255
    x = (seed + steps * y + ATTRIBUTE_STEP * steps * (steps - 1) // 2) % MODULUS
    return x ^ (y + ATTRIBUTE_STEP * steps) % MODULUS


def _calls(seed: int, steps: int) -> int:
    return (seed + steps * (steps - 1) // 2) % MODULUS


def _ping_pong(seed: int, steps: int) -> int:
    return int(np.sum((seed + np.arange(steps)) % 256))


def _sum(numbers: np.ndarray) -> int:
    return sum(map(int, numbers))


def _sha256(content: np.ndarray) -> int:
    digest = hashlib.sha256()
    for first in range(0, len(content), _BLOCK_BYTES):
        digest.update(content[first : first + _BLOCK_BYTES].tobytes())
    return int.from_bytes(digest.digest()[:DIGEST_BYTES], "big")


def _filtered(image: np.ndarray, first: int, last: int) -> int:
    """Over the rows from ``first`` to ``last``; what lies beyond the image's edges counts as 0."""
    weights = np.array([1.0, 2.0, 1.0])
    smooth = np.array([np.convolve(column, weights)[1:-1] for column in image.T.astype(np.float64)]).T
    smooth = np.array([np.convolve(row, weights)[1:-1] for row in smooth[first:last]])
    return int(np.sum(np.square(smooth)))


_OF_STEPS: dict[str, Callable[[int, int], int]] = {
    "python": _python,
    "dict": _dict,
    "attributes": _attributes,
    "calls": _calls,
    "ping_pong": _ping_pong,
}
_OF_ARRAY: dict[str, Callable[[np.ndarray], int]] = {"sum": _sum, "sha256": _sha256}
