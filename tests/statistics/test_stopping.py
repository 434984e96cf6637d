"""The stopping rule on synthetic numbers."""

from __future__ import annotations

import math
import subprocess
import sys

import numpy as np
import pytest

from harness.statistics import StoppingRule
from harness.statistics.trend import monotone_trend

RULE = StoppingRule(target=0.02, fewest_blocks=20)


def process(values: np.ndarray, number: int = 0) -> dict[tuple[int, int], float]:
    return {(number, block): float(value) for block, value in enumerate(values)}


def quiet(rng: np.random.Generator, count: int, spread: float = 0.01) -> np.ndarray:
    return 1000 * np.exp(spread * rng.standard_normal(count))


def test_quiet_blocks_are_precise_once_there_are_enough() -> None:
    values = process(quiet(np.random.default_rng(3), 60))
    states = [RULE.judge(dict(list(values.items())[:count])).state for count in range(61)]
    assert set(states[:20]) == {"more"}
    assert states[60] == "precise"


def test_noisy_blocks_need_more() -> None:
    progress = RULE.judge(process(quiet(np.random.default_rng(2), 30, spread=0.3)))
    assert progress.state == "more"
    assert progress.relative_half_width > 0.02


@pytest.mark.parametrize("direction", [-1, 1])
def test_it_never_stops_inside_a_trend(direction: int) -> None:
    """A drift of 3 % over the process: the interval is narrow and describes nothing."""
    rng = np.random.default_rng(3)
    drift = np.exp(direction * np.linspace(0, 0.03, 200))
    progress = RULE.judge(process(quiet(rng, 200, spread=0.002) * drift))
    assert progress.state != "precise"
    steep = StoppingRule(target=0.02, fewest_blocks=2).judge(process(quiet(rng, 200, spread=0.002) * drift))
    assert steep.state == "trend"
    assert steep.change == pytest.approx(direction * 0.03, abs=0.005)


def test_a_trend_smaller_than_the_target_does_not_hold_it_up() -> None:
    drift = np.exp(np.linspace(0, 0.005, 400))
    rule = StoppingRule(target=0.02, fewest_blocks=5)
    assert rule.judge(process(quiet(np.random.default_rng(4), 400, spread=0.002) * drift)).state == "precise"


def test_processes_count_not_their_blocks() -> None:
    """Ten processes apart by a tenth: however many blocks, the interval over processes is wide."""
    rng = np.random.default_rng(5)
    apart, alike = {}, {}
    for number in range(10):
        apart |= process(quiet(rng, 30) * math.exp(0.1 * rng.standard_normal()), number)
        alike |= process(quiet(rng, 30), number)
    assert RULE.judge(apart).state == "more"
    assert RULE.judge(alike).state == "precise"
    nine = {block: value for block, value in alike.items() if block[0] < 9}
    assert RULE.judge(nine).state == "more"
    assert StoppingRule(fewest_rounds=5).judge(nine).state == "precise"


def test_a_pair_is_judged_by_its_ratio() -> None:
    """Both drift threefold together: neither alone is settled, their ratio is."""
    rng = np.random.default_rng(6)
    drift = np.geomspace(1, 3, 40)
    above, below = process(2 * drift * quiet(rng, 40)), process(drift * quiet(rng, 40))
    assert RULE.judge(above).state == "more"
    assert RULE.judge_ratio(above, below).state == "precise"


def test_nothing_and_what_is_not_positive_needs_more() -> None:
    assert RULE.judge({}).state == "more"
    assert RULE.judge(process(np.zeros(50))).state == "more"


def test_constant_values_are_precise() -> None:
    assert RULE.judge(process(np.full(20, 7.0))).state == "precise"


def test_no_trend_is_found_in_noise_more_often_than_the_level() -> None:
    rng = np.random.default_rng(7)
    found = sum(monotone_trend([rng.standard_t(2, 20)]).p_value < 0.05 for _ in range(1000))
    assert 0.02 <= found / 1000 <= 0.05 + 2.5 * math.sqrt(0.05 * 0.95 / 1000)


def test_the_import_leaves_scipy_alone() -> None:
    """The parent process imports the rule; scipy would double its start."""
    program = "import sys, harness.statistics; sys.exit('scipy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
