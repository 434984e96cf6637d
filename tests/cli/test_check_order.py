"""In which order implementations are checked."""

from __future__ import annotations

from typing import Any

from harness.cli.checking import _suites_in_turn


def test_suites_take_turns() -> None:
    """Two of one suite at once would both compile what they share."""
    contestants: dict[tuple[str, str, str], Any] = {
        ("knn", "one", "cpu"): ["1"],
        ("knn", "two", "cpu"): ["2"],
        ("knn", "three", "cpu"): ["3"],
        ("pca", "four", "cpu"): ["4"],
        ("xgboost", "five", "cpu"): ["5"],
        ("xgboost", "six", "cpu"): ["6"],
    }
    assert _suites_in_turn(contestants) == [["1"], ["4"], ["5"], ["2"], ["6"], ["3"]]
