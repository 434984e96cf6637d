"""Batches added to a truncated decomposition with the mean's correction (Ross et al. 2008)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from harness.contract import implements
from impls.building_blocks.pca.ends import Fitted, project, require_rows
from impls.building_blocks.pca.incremental import fit_incrementally
from suites.pca.suite import SUITE

ROWS_PER_FEATURE = 5


@implements(SUITE, dtypes=("float64", "float32"), kind="incremental", counters=fit_incrementally)
def pca(x: Any, k: int, seed: int) -> Iterator[Fitted | np.ndarray]:
    require_rows(x)
    model = fit_incrementally(x, k, max(k, ROWS_PER_FEATURE * x.shape[1]))
    yield model
    yield project(x, model)
