"""Binned search in Numba with sum and count of a bin in one integer (quantized gradients, Shi et al. 2022).

Residuals are rounded to a unit that the sum of all rows cannot overflow: about 2^-44 of the largest one for 300 rows,
2^-22 for a million. Splits are chosen by the rounded sums, leaves hold the sums of the residuals themselves.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from harness.contract import implements
from impls.building_blocks.gbdt.losses import base_score
from impls.building_blocks.gbdt.rounds import fit_histogram
from impls.building_blocks.trees.arrays import score
from impls.building_blocks.trees.binning import bin_codes, find_bins
from suites.gbdt.suite import SUITE

FEATURES_SIDE_BY_SIDE = 4


@implements(SUITE, kind="histogram")
def gbdt(
    x_train: np.ndarray,
    y_train: np.ndarray,
    x_test: np.ndarray,
    loss: str,
    rounds: int,
    max_depth: int,
    max_leaves: int,
    shrinkage: float,
    bins: int,
    min_rows: int,
) -> Iterator[np.ndarray | None]:
    found = find_bins(x_train, bins)
    codes = bin_codes(x_train, found.cuts, FEATURES_SIDE_BY_SIDE)
    base = base_score(y_train, loss)
    settings = (base, loss, rounds, max_depth, max_leaves, shrinkage, min_rows)
    forest = fit_histogram(codes, found, y_train, *settings, packed=True)
    yield None
    yield score(forest, x_test, base, shrinkage)
