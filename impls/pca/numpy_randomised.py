"""Randomised range finder with four power steps and QR in between (Halko, Martinsson and Tropp 2011)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from harness.contract import implements
from impls.building_blocks.pca.ends import Fitted, column_means, fitted, project, require_rows
from impls.building_blocks.pca.range_finder import POWER_STEPS, find_range, randomised_svd
from suites.pca.suite import SUITE


@implements(SUITE, dtypes=("float64", "float32"), kind="randomised", counters=find_range)
def pca(x: Any, k: int, seed: int) -> Iterator[Fitted | np.ndarray]:
    require_rows(x)
    mean = column_means(x)
    values, vectors = randomised_svd(x - mean, k, POWER_STEPS, np.random.default_rng(seed))
    model = fitted(mean, vectors, values**2 / (len(x) - 1), x.dtype)
    yield model
    yield project(x, model)
