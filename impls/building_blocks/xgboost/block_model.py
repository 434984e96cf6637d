"""Exact second-order boosting over column blocks: sparsity-aware or dense, with or without a buffer of fetched rows."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from impls.building_blocks.xgboost.block_growth import grow_trees
from impls.building_blocks.xgboost.block_search import AHEAD, search_present, threshold_of
from impls.building_blocks.xgboost.blocks import Blocks, Table
from impls.building_blocks.xgboost.dense_search import search_all
from impls.building_blocks.xgboost.fitted import Fitted
from impls.building_blocks.xgboost.gain import RegularisedGain, gain_of
from impls.building_blocks.xgboost.level import Totals, pairs_of, slots_of
from suites.xgboost.model import Model


@dataclass
class ExactSearch:
    """Every boundary between values is a candidate."""

    blocks: Blocks
    gain: RegularisedGain
    min_rows: int
    ahead: int
    dense: bool
    entries: int = 0

    def begin_tree(self, weight: np.ndarray) -> None:
        pass

    def find(self, rows: np.ndarray, totals: Totals, found: np.ndarray) -> None:
        pairs, slots = pairs_of(rows), slots_of(rows)
        if self.dense:
            self.entries += search_all(self.blocks, pairs, slots, totals, self.min_rows, self.gain, found)
        else:
            self.entries += search_present(
                self.blocks, pairs, slots, totals, self.min_rows, self.gain, self.ahead, found
            )

    def threshold(self, feature: int, slot: int, code: int) -> float:
        return float(threshold_of(self.blocks, feature, code))


def fit_blocks(
    table: Table,
    prepared: tuple[Blocks, int],
    y: np.ndarray,
    model: Model,
    *,
    prefetch: bool = False,
    dense: bool = False,
) -> Fitted:
    """Fit on blocks that were sorted once.

    :param prepared: the blocks and how many sorts they took, absent entries kept if ``dense``.
    :param prefetch: fetch the rows of a batch of entries before summing them.
    :param dense: visit absent entries as well.
    """
    blocks, sorts = prepared
    search = ExactSearch(blocks, gain_of(model), max(1, model.min_rows), AHEAD if prefetch else 1, dense)
    return replace(grow_trees(table, search, y, model), sorts=sorts, entries=search.entries)
