"""Approximate second-order boosting: candidates by weighted quantiles of the Hessians, anew for each tree."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np

from impls.building_blocks.xgboost.block_growth import grow_trees
from impls.building_blocks.xgboost.blocks import Blocks, Table
from impls.building_blocks.xgboost.fitted import Fitted
from impls.building_blocks.xgboost.gain import RegularisedGain, gain_of
from impls.building_blocks.xgboost.level import Totals, pairs_of, slots_of
from impls.building_blocks.xgboost.sketch import propose, summarise_sorted, summarise_stream
from impls.building_blocks.xgboost.sketch_search import Candidates, search_candidates
from suites.xgboost.model import Model

STREAM_SHARE = 0.5
"""Share of the error that the stream's summaries may make; the rest is the distance of candidates."""


@dataclass
class SketchSearch:
    """Candidates are proposed once for each tree, for all of its nodes ("global" in the paper).

    ``distinct`` are each feature's distinct training values in increasing order.
    """

    blocks: Blocks
    distinct: list[np.ndarray]
    gain: RegularisedGain
    min_rows: int
    bins: int
    is_sorted: bool
    entries: int = 0
    steps: int = 0
    counts: list[np.ndarray] = field(default_factory=list)

    def begin_tree(self, weight: np.ndarray) -> None:
        proposed = [self._propose(f, weight) for f in range(len(self.distinct))]
        starts = np.concatenate([[0], np.cumsum([len(values) for values in proposed])]).astype(np.int64)
        self.candidates = Candidates(np.concatenate(proposed).astype(np.float32), starts)
        self.counts.append(np.diff(starts))

    def find(self, rows: np.ndarray, totals: Totals, found: np.ndarray) -> None:
        entries, steps = search_candidates(
            self.blocks,
            self.candidates,
            pairs_of(rows),
            slots_of(rows),
            totals,
            self.min_rows,
            self.gain,
            self.is_sorted,
            found,
        )
        self.entries += entries
        self.steps += steps

    def threshold(self, feature: int, slot: int, code: int) -> float:
        own = self.candidates.values[self.candidates.starts[feature] : self.candidates.starts[feature + 1]]
        b = code // 2
        if b == 0 or b == len(own):
            return -math.inf if b == 0 else math.inf
        known = self.distinct[feature]
        place = int(np.searchsorted(known, own[b]))
        return float((np.float64(known[place - 1]) + np.float64(known[place])) / 2)

    def _propose(self, f: int, weight: np.ndarray) -> np.ndarray:
        part = slice(self.blocks.starts[f], self.blocks.starts[f] + self.blocks.present[f])
        values, weights, error = self.blocks.values[part], weight[self.blocks.order[part]], 2.0 / self.bins
        if self.is_sorted:
            return propose(summarise_sorted(values, weights), error, self.bins)
        summary = summarise_stream(values, weights, STREAM_SHARE * error, self.bins)
        return propose(summary, (1 - STREAM_SHARE) * error, self.bins)


def fit_sketch(table: Table, prepared: tuple[Blocks, int], y: np.ndarray, model: Model, *, is_sorted: bool) -> Fitted:
    """Fit on candidates whose neighbours differ in weighted rank by at most 2 / bins.

    :param prepared: the columns and how many sorts they took.
    :param is_sorted: they are sorted: candidates come from cumulative weights, and entries find theirs in one scan.
        Otherwise candidates come from a streaming summary, and entries search for theirs.
    """
    blocks, sorts = prepared
    distinct = [np.unique(blocks.values[a:b]) for a, b in pairwise(blocks.starts)]
    search = SketchSearch(blocks, distinct, gain_of(model), max(1, model.min_rows), model.bins, is_sorted)
    fitted = grow_trees(table, search, y, model)
    return replace(fitted, sorts=sorts, entries=search.entries, steps=search.steps, sketches=search.counts)
