"""The tree core that the topics share: a gain and weights of a topic's own, in both kinds of search."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest

from impls.building_blocks.trees import gain, growth, presorted
from impls.building_blocks.trees.arrays import Forest, empty_forest, most_nodes
from impls.building_blocks.trees.binning import bin_codes, find_bins
from impls.building_blocks.trees.nodes import Growth
from suites.gbdt.suite import TIE

MIN_ROWS, DEPTH = 2, 3


class Damped(NamedTuple):
    """Squared sums over damped weights, with a least weight of each side."""

    damping: float
    least_weight: float


def split(gain: Damped, left: float, left_weight: float, right: float, right_weight: float) -> float:
    if left_weight < gain.least_weight or right_weight < gain.least_weight:
        return -1.0
    return left * left / (left_weight + gain.damping) + right * right / (right_weight + gain.damping)


def node(gain: Damped, total: float, weight: float) -> float:
    return total * total / (weight + gain.damping)


gain.define_gain(Damped, split, node)


def grow_presorted(x: np.ndarray, sums: np.ndarray, weights: np.ndarray, settings: Damped) -> tuple[Forest, int]:
    table, size = presorted.presort(x), most_nodes(len(x), DEPTH, 0, MIN_ROWS)
    forest, work = empty_forest(1, size), presorted.empty_work(table, size)
    work.order[:], work.values[:] = table.order, table.values
    limits = Growth(DEPTH, (size + 1) // 2, best_first=False, min_rows=MIN_ROWS)
    return forest, presorted.grow_presorted(table, sums, weights, limits, settings, work, forest, 0)


def grow_histogram(x: np.ndarray, sums: np.ndarray, weights: np.ndarray, settings: Damped) -> tuple[Forest, int]:
    bins, size = find_bins(x, 256), most_nodes(len(x), DEPTH, 0, MIN_ROWS)
    codes = bin_codes(x, bins.cuts, 4)
    forest, work = empty_forest(1, size), growth.empty_work(codes, x.shape[1], size, "weighted")
    work.addends[:, 0], work.addends[:, 1] = sums, weights
    limits = Growth(DEPTH, (size + 1) // 2, best_first=False, min_rows=MIN_ROWS)
    return forest, growth.grow_histogram(codes, bins, limits, settings, work, None, 1.0, 0, forest, 0)


def best_split(x: np.ndarray, sums: np.ndarray, weights: np.ndarray, settings: Damped) -> tuple[int, float, float]:
    """Feature, threshold and gain by trying every midpoint."""
    found = (0, np.inf, 0.0)
    for feature, column in enumerate(x.T.astype(np.float64)):
        values = np.unique(column)
        for threshold in (values[:-1] + values[1:]) / 2:
            left = column <= threshold
            if min(left.sum(), (~left).sum()) >= MIN_ROWS:
                sides = (sums[left].sum(), weights[left].sum(), sums[~left].sum(), weights[~left].sum())
                gained = split(settings, *sides) - node(settings, sums.sum(), weights.sum())
                found = max(found, (feature, float(threshold), gained), key=lambda entry: entry[2])
    return found


@pytest.mark.parametrize("settings", [Damped(1.0, 0.0), Damped(0.1, 20.0), Damped(1e-9, 1e9)])
def test_both_searches_split_by_a_gain_of_the_callers_own(settings: Damped) -> None:
    rng = np.random.default_rng(0)
    x = rng.integers(0, 30, size=(300, 5)).astype(np.float32)
    sums, weights = rng.normal(size=300) + 0.1 * x[:, 1], rng.random(300)
    (by_order, n_by_order), (by_bin, n_by_bin) = (
        grow(x, sums, weights, settings) for grow in (grow_presorted, grow_histogram)
    )
    feature, threshold, gained = best_split(x, sums, weights, settings)
    assert n_by_order == n_by_bin
    assert (n_by_order > 1) == (gained > 0) == (settings.least_weight < 1e6)
    for forest in (by_order, by_bin):
        assert forest.feature[0, 0] == feature
        assert forest.threshold[0, 0] == threshold
        assert forest.gain[0, 0] == pytest.approx(gained, rel=1e-10)
    for name in ("feature", "threshold", "left"):
        assert np.array_equal(getattr(by_order, name), getattr(by_bin, name))
    assert by_order.gain == pytest.approx(by_bin.gain, rel=1e-8)


def test_ties_are_those_of_the_contract_that_the_core_serves() -> None:
    assert gain.TIE == TIE
