"""What options make of a profile."""

from __future__ import annotations

from pathlib import Path

from harness.cli.request import Request
from harness.worker.orders import FULL, QUICK


def test_a_profile_is_taken_as_it_is() -> None:
    assert Request(Path(), profile="quick").settings == QUICK
    assert Request(Path(), profile="full").settings == FULL


def test_few_processes_must_give_samples_enough_for_an_interval_over_blocks() -> None:
    assert Request(Path(), profile="full", rounds=5).settings.fewest_blocks == FULL.fewest_blocks
    assert Request(Path(), profile="full", rounds=4).settings.fewest_blocks == QUICK.fewest_blocks


def test_precision_is_asked_in_percent() -> None:
    assert Request(Path(), precision_percent=5.0).settings.precision == 0.05
