"""What others used of the CPUs, from counters that are set by hand."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from harness.instruments.foreign_load import ForeignLoad

TICKS_PER_S = os.sysconf("SC_CLK_TCK")
PAUSE_S = 0.12


def write(stat: Path, busy_s: float, steal_s: float) -> None:
    """User, nice, system, idle, waiting, interrupts, soft interrupts, stolen, and two that stand in the first ones."""
    counts = [round(busy_s * TICKS_PER_S), 0, 0, 10**6, 0, 0, 0, round(steal_s * TICKS_PER_S), 0, 0]
    stat.write_text(f"cpu  {' '.join(map(str, counts))}\ncpu0 1 2 3\n")


@pytest.mark.parametrize(
    ("busy_s", "steal_s", "disturbed"),
    [(0.0, 0.0, False), (0.02, 0.0, False), (0.1, 0.0, True), (0.0, 0.1, True), (0.03, 0.03, True)],
)
def test_what_others_use_beyond_a_few_ticks_is_noticed(
    tmp_path: Path, busy_s: float, steal_s: float, disturbed: bool
) -> None:
    stat = tmp_path / "stat"
    write(stat, 50.0, 3.0)

    def take() -> dict[str, float]:
        time.sleep(PAUSE_S)
        write(stat, 50.0 + busy_s, 3.0 + steal_s)
        return {"call": 1.0}

    values, readings, flags = ForeignLoad(stat).around(take)
    assert values == {"call": 1.0}
    assert readings["steal_s"] == pytest.approx(steal_s, abs=1e-6)
    assert 0 <= readings["foreign_s"] <= busy_s + 1e-6
    assert bool(flags) is disturbed


def test_what_this_process_and_its_children_use_is_none_of_it(tmp_path: Path) -> None:
    stat = tmp_path / "stat"
    write(stat, 0.0, 0.0)

    def take() -> dict[str, float]:
        before_s = sum(os.times()[:4])
        child = os.fork()
        deadline_s = time.process_time() + PAUSE_S
        while time.process_time() < deadline_s:
            sum(range(1000))
        if child == 0:
            os._exit(0)
        os.waitpid(child, 0)
        write(stat, sum(os.times()[:4]) - before_s, 0.0)
        return {}

    _, readings, flags = ForeignLoad(stat).around(take)
    assert readings["foreign_s"] < 0.04
    assert flags == ()


def test_nothing_is_said_of_short_samples_nor_without_counters(tmp_path: Path) -> None:
    assert ForeignLoad().around(lambda: {"call": 2.0}) == ({"call": 2.0}, {}, ())
    absent = ForeignLoad(tmp_path / "stat").around(lambda: time.sleep(PAUSE_S) or {"call": 2.0})
    assert absent == ({"call": 2.0}, {}, ())
