"""A few kills of the campaign that ``tests.torture.kill`` makes a hundred of."""

from __future__ import annotations

from pathlib import Path

from tests.torture.kill import campaign, make_project


def test_nothing_is_lost_by_a_few_kills(tmp_path: Path) -> None:
    make_project(tmp_path)
    outcome = campaign(tmp_path, kills=3, seed=11)
    assert outcome.kills == 3
    assert outcome.nothing_lost, outcome
