"""The cost of calls: every kind is there, and an operation of a library costs more than a call that does nothing."""

from __future__ import annotations

import pytest

from harness.instruments.dispatch import interpreter_start_ms, measure_dispatch
from harness.instruments.nvml import gpu_count


def test_an_operation_costs_more_than_the_call_it_is_made_by() -> None:
    costs = measure_dispatch()
    assert {"python_call_ns", "numpy_add_ns", "torch_add_ns"} <= set(costs)
    assert 0 < costs["python_call_ns"] < min(costs["numpy_add_ns"], costs["torch_add_ns"])


def test_an_interpreter_takes_time_to_start() -> None:
    assert interpreter_start_ms() > 0


@pytest.mark.gpu
@pytest.mark.skipif(gpu_count() == 0, reason="needs an NVIDIA GPU")
def test_a_launch_costs_the_host_less_than_waiting_for_it() -> None:
    costs = measure_dispatch()
    assert 0 < costs["cuda_launch_ns"] < costs["cuda_round_trip_ns"]
