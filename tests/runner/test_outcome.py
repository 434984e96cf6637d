"""What becomes of a worker's replies."""

from __future__ import annotations

import pytest

from harness.contract import Case
from harness.runner.outcome import Outcome
from harness.trials import Trial

TRIAL = Trial("total", "plain", Case.of({"n": 10}), "cpu", "float32", 1, "time", 0, 7)


def test_a_sample_is_kept_with_what_was_noticed() -> None:
    outcome = Outcome(TRIAL, "")
    reply = {"iterations": 3, "values": {"sum": 2.0, "centre": 1.0}, "sample_flags": ["throttled"]}
    assert outcome.take_sample(reply, 4, ("gap",))
    (sample,) = outcome.record().samples
    assert (sample.block, sample.iterations, sample.values) == (4, 3, {"sum": 2.0, "centre": 1.0})
    assert sample.flags == ("gap", "throttled")


@pytest.mark.parametrize("duration_ns", [0.0, -5.0, float("nan"), float("inf")])
def test_a_sample_of_no_time_ends_the_trial_and_not_the_run(duration_ns: float) -> None:
    outcome = Outcome(TRIAL, "")
    assert not outcome.take_sample({"iterations": 1, "values": {"sum": duration_ns}}, 0)
    record = outcome.record()
    assert (record.status, record.samples) == ("failed", ())
    assert "the clock stood still or went back" in record.reason
