"""Binned search in Numba, in parallel over rows: every thread fills a histogram of its own, which are then summed.

Bin numbers lie row by row, so that a row of a small node costs one or two cache lines, whatever the number of features.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from harness.contract import implements, thread_count
from impls.building_blocks.gbdt.fitted import Fitted
from impls.building_blocks.gbdt.losses import base_score
from impls.building_blocks.gbdt.rounds import fit_histogram
from impls.building_blocks.trees.binning import bin_codes, find_bins
from suites.gbdt.suite import SUITE


def fit(
    x_train: np.ndarray,
    y_train: np.ndarray,
    loss: str,
    rounds: int,
    max_depth: int,
    max_leaves: int,
    shrinkage: float,
    bins: int,
    min_rows: int,
) -> Fitted:
    """The fitted trees, with what was counted while growing them."""
    found = find_bins(x_train, bins)
    codes = bin_codes(x_train, found.cuts, x_train.shape[1])
    base = base_score(y_train, loss)
    settings = (base, loss, rounds, max_depth, max_leaves, shrinkage, min_rows)
    forest = fit_histogram(codes, found, y_train, *settings, row_threads=thread_count())
    return Fitted(forest, base, x_train, y_train, loss, max_depth, shrinkage, min_rows, codes)


@implements(SUITE, kind="histogram", counters=fit)
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
    fitted = fit(x_train, y_train, loss, rounds, max_depth, max_leaves, shrinkage, bins, min_rows)
    yield None
    yield fitted.scores(x_test)
