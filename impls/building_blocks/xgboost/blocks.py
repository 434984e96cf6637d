"""Column blocks: the entries of each feature as (row, value) in the order of the values, sorted once for all trees."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numba import njit

from harness.contract import thread_count


class Blocks(NamedTuple):
    """Row numbers int32 and values float32 of all entries; feature f has those from ``starts[f]`` to ``starts[f + 1]``.

    Its first ``present[f]`` entries have values in increasing order; what may follow are NaN.
    """

    order: np.ndarray
    values: np.ndarray
    starts: np.ndarray
    present: np.ndarray


@dataclass(frozen=True)
class Table:
    """The training rows as given: ``x`` (rows, features), or with ``x`` of no rows compressed ones."""

    x: np.ndarray
    values: np.ndarray
    columns: np.ndarray
    row_starts: np.ndarray
    rows: int

    @property
    def is_dense(self) -> bool:
        return len(self.x) == self.rows

    @property
    def features(self) -> int:
        return int(self.x.shape[1])


def column_blocks(table: Table, *, keep_absent: bool = False) -> tuple[Blocks, int]:
    """The sorted blocks of ``table`` and how many sorts that took.

    :param keep_absent: store absent entries too, as NaN behind the others.
    """
    columns = _columns(table, keep_absent)
    starts = np.concatenate([[0], np.cumsum([len(rows) for rows, _ in columns])]).astype(np.int64)
    order, values = np.empty(starts[-1], dtype=np.int32), np.empty(starts[-1], dtype=np.float32)
    present = np.empty(len(columns), dtype=np.int64)

    def sort(f: int) -> int:
        rows, own = columns[f]
        by_value = np.argsort(own)
        place = slice(starts[f], starts[f + 1])
        order[place], values[place] = rows[by_value], own[by_value]
        present[f] = len(own) - np.count_nonzero(np.isnan(own))
        return 1

    with ThreadPoolExecutor(thread_count()) as pool:  # NumPy sorts without holding the interpreter's lock
        sorts = sum(pool.map(sort, range(len(columns))))
    return Blocks(order, values, starts, present), sorts


def unsorted_columns(table: Table) -> tuple[Blocks, int]:
    """The same in the order of the rows, which takes no sort."""
    columns = _columns(table, keep_absent=False)
    present = np.array([len(rows) for rows, _ in columns], dtype=np.int64)
    starts = np.concatenate([[0], np.cumsum(present)]).astype(np.int64)
    order = np.concatenate([rows for rows, _ in columns]).astype(np.int32)
    return Blocks(order, np.concatenate([own for _, own in columns]).astype(np.float32), starts, present), 0


def _columns(table: Table, keep_absent: bool) -> list[tuple[np.ndarray, np.ndarray]]:
    """Rows and values of each feature's entries, in the order of the rows."""
    if table.is_dense or keep_absent:
        x = table.x if table.is_dense else expand(table)
        every = np.arange(table.rows, dtype=np.int32)
        dense = np.ascontiguousarray(x.T)
        if keep_absent:
            return [(every, column) for column in dense]
        there = ~np.isnan(dense)
        return [
            (every, column) if mask.all() else (np.flatnonzero(mask).astype(np.int32), column[mask])
            for column, mask in zip(dense, there, strict=True)
        ]
    order, starts = _by_column(table.columns, table.row_starts, table.features)
    row_of_entry = np.repeat(np.arange(table.rows, dtype=np.int32), np.diff(table.row_starts))
    places = [order[starts[f] : starts[f + 1]] for f in range(table.features)]
    return [(row_of_entry[place], table.values[place]) for place in places]


def expand(table: Table) -> np.ndarray:
    """Compressed rows as a dense table float32, NaN where there is no entry."""
    x = np.full((table.rows, table.features), np.nan, dtype=np.float32)
    x[np.repeat(np.arange(table.rows), np.diff(table.row_starts)), table.columns] = table.values
    return x


@njit(cache=True)
def _by_column(columns: np.ndarray, row_starts: np.ndarray, features: int) -> tuple[np.ndarray, np.ndarray]:
    """Entry numbers by column, in the order of the rows within each, and where each column starts."""
    starts = np.zeros(features + 1, dtype=np.int64)
    for column in columns:
        starts[column + 1] += 1
    for f in range(features):
        starts[f + 1] += starts[f]
    next_place, order = starts[:-1].copy(), np.empty(len(columns), dtype=np.int64)
    for entry in range(len(columns)):
        order[next_place[columns[entry]]] = entry
        next_place[columns[entry]] += 1
    return order, starts
