"""How much two measurements of the same work differ here: the noise floor below which no difference can be seen."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

_SIZE = 128
_SAMPLE_TARGET_S = 0.005


@dataclass(frozen=True)
class NoiseFloor:
    """Relative differences within neighbouring pairs of samples of one and the same work."""

    median_difference: float
    p95_difference: float
    pairs: int


def measure_noise_floor(pairs: int = 100) -> NoiseFloor:
    """Time a matrix product against itself, sample by sample."""
    matrix = np.random.default_rng(0).random((_SIZE, _SIZE))
    iterations = max(1, round(_SAMPLE_TARGET_S / _product_s(matrix, 20)))
    samples = np.array([_product_s(matrix, iterations) for _ in range(2 * pairs)])
    differences = np.abs(np.log(samples[::2] / samples[1::2]))
    return NoiseFloor(float(np.median(differences)), float(np.quantile(differences, 0.95)), pairs)


def _product_s(matrix: np.ndarray, iterations: int) -> float:
    begin = time.perf_counter()
    for _ in range(iterations):
        matrix @ matrix
    return (time.perf_counter() - begin) / iterations
