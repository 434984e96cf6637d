"""Rows of range answers are sorted with the indices beside them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from impls.building_blocks.knn import ragged

values = st.one_of(st.integers(0, 5).map(float), st.floats(0, allow_infinity=True), st.just(np.inf))


def check(row: np.ndarray) -> None:
    distances, indices = row.copy(), np.arange(len(row))
    ragged._sort_row(distances, indices)
    np.testing.assert_array_equal(distances, np.sort(row))
    np.testing.assert_array_equal(row[indices], distances)
    assert len(set(indices.tolist())) == len(row)


@given(st.lists(values, max_size=300))
def test_any_row_is_sorted(row: list[float]) -> None:
    check(np.array(row, dtype=np.float64))


@pytest.mark.parametrize("length", [0, 1, ragged.INSERTION_UP_TO, ragged.INSERTION_UP_TO + 1, 5000])
def test_rows_that_quicksort_finds_awkward(length: int) -> None:
    rising = np.arange(float(length))
    organ_pipe = np.minimum(rising, rising[::-1])
    for row in (rising, rising[::-1].copy(), organ_pipe, np.zeros(length), np.sign(organ_pipe - length // 4)):
        check(row)
