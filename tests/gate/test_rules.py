"""``[tool.bakeoff.gate]``: what it may hold, what counts, and for how long."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from harness.config import ConfigError, find_project
from harness.discovery import load_catalogue
from harness.gate.rules import DEFAULTS, Rules, read_rules
from harness.statistics import Estimate

ACCEPTED = """
[[tool.bakeoff.gate.accepted]]
what = "total/plain"
reason = "checks its input now"
until = 2026-12-31
"""
RATIO = Estimate(1.08, 1.06, 1.10, 7)
BEFORE, LAST, AFTER = date(2026, 12, 1), date(2026, 12, 31), date(2027, 1, 1)


def rules_of(project: Path, table: str) -> Rules:
    (project / "pyproject.toml").write_text(f"[tool.bakeoff]\n{table}")
    return read_rules(find_project(project))


def test_without_a_table(project: Path) -> None:
    rules = rules_of(project, "")
    assert rules.thresholds == DEFAULTS
    assert rules.accepted == ()


def test_the_closest_threshold_counts(project: Path) -> None:
    rules = rules_of(
        project,
        """
[tool.bakeoff.gate]
time = 3
memory = 10.5
[tool.bakeoff.gate.overrides]
"*" = { time = 4 }
total = { time = 5 }
"total/p*" = { time = 6, energy = 1 }
"total/plain" = { time = 7 }
""",
    )
    found = {
        name: rules.threshold(tuple(name.split("/")), "time") for name in ("a/b", "total/b", "total/pq", "total/plain")
    }
    assert found == pytest.approx({"a/b": 0.04, "total/b": 0.05, "total/pq": 0.06, "total/plain": 0.07})
    assert rules.threshold(("total", "plain"), "memory") == pytest.approx(0.105)
    assert rules.threshold(("total", "plain"), "energy") == pytest.approx(0.01)
    assert rules.threshold(("a", "b"), "energy") == DEFAULTS["energy"]
    one = rules.with_time_threshold(0.2)
    assert {one.threshold(name, "time") for name in (("a", "b"), ("total", "plain"))} == {0.2}
    assert one.threshold(("total", "plain"), "energy") == pytest.approx(0.01)


def test_an_accepted_change_ends_with_its_last_day(project: Path) -> None:
    rules = rules_of(project, ACCEPTED)
    for day in (BEFORE, LAST):
        accepted = rules.acceptance(("total", "plain"), "time", RATIO, day)
        assert accepted is not None
        assert accepted.reason == "checks its input now"
        assert rules.expired(day) == ()
    assert rules.acceptance(("total", "plain"), "time", RATIO, AFTER) is None
    assert [each.what for each in rules.expired(AFTER)] == ["total/plain"]
    assert rules.acceptance(("total", "other"), "time", RATIO, BEFORE) is None


def test_an_accepted_change_may_be_of_one_instrument_and_up_to_a_size(project: Path) -> None:
    rules = rules_of(project, ACCEPTED + 'instrument = "time"\nup_to = 7\n')
    assert rules.acceptance(("total", "plain"), "memory", RATIO, BEFORE) is None
    assert rules.acceptance(("total", "plain"), "time", RATIO, BEFORE) is not None
    assert rules.acceptance(("total", "plain"), "time", Estimate(1.09, 1.08, 1.10, 7), BEFORE) is None


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("gate = 3", "tool.bakeoff.gate must be a table"),
        ("[tool.bakeoff.gate]\ntiem = 3", "unknown key 'tiem'; known are time, memory"),
        ("[tool.bakeoff.gate]\ntime = '3'", "tool.bakeoff.gate.time must be a number of per cent above 0, not '3'"),
        ("[tool.bakeoff.gate]\ntime = true", "must be a number"),
        ("[tool.bakeoff.gate]\ntime = 0", "above 0"),
        ("[tool.bakeoff.gate]\ntime = nan", "above 0"),
        ("[tool.bakeoff.gate]\ntime = inf", "above 0"),
        ("[tool.bakeoff.gate.overrides]\nknn = 3", "'knn' must be a table"),
        ("[tool.bakeoff.gate.overrides.knn]\nspeed = 3", "unknown key 'speed'"),
        ("[tool.bakeoff.gate]\naccepted = 'all'", r"must be written as \[\[tool.bakeoff.gate.accepted\]\]"),
        ("[[tool.bakeoff.gate.accepted]]\nwhat = 'knn'\nuntil = 2026-01-01", "has no reason"),
        ("[[tool.bakeoff.gate.accepted]]\nwhat = 'knn'\nreason = 'r'", "has no until"),
        (ACCEPTED.replace("2026-12-31", "'soon'"), "must be a date such as 2026-12-31, not 'soon'"),
        (ACCEPTED.replace("2026-12-31", "2026-12-31T00:00:00Z"), "must be a date"),
        (ACCEPTED + "because = 'x'", "unknown key 'because'"),
        (ACCEPTED + "instrument = 'speed'", "must be one of time, memory, energy"),
        (ACCEPTED.replace("checks its input now", " "), "reason must be a text that is not empty"),
        (ACCEPTED + "up_to = -1", "up_to must be a number"),
    ],
)
def test_what_is_wrong_is_said(project: Path, table: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        rules_of(project, table)


def test_a_name_that_does_not_exist_is_said(project: Path) -> None:
    rules = rules_of(project, ACCEPTED.replace("total/plain", "total/plane"))
    (sentence,) = rules.idle(load_catalogue(find_project(project)))
    assert "did you mean 'total/plain'?" in sentence
