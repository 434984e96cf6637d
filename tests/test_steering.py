"""Variables that steer libraries: found, without what tells who or where, and told of everywhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.environment import describe_environment
from harness.fingerprint import same_environment
from harness.reproducing.surroundings import Difference, differences
from harness.steering import STEERING_VARIABLES, steering_variables
from tests.reporting.building import ENVIRONMENT

ROOT = Path(__file__).parents[1]
RECORDED = {name: value for name, value in ENVIRONMENT.items() if name not in {"git", "variables"}}


def test_what_is_set_is_found_and_nothing_else() -> None:
    assert steering_variables({"OPENBLAS_CORETYPE": "Haswell", "MKL_CBWR": "", "HOME": "/home/someone"}) == {
        "OPENBLAS_CORETYPE": "Haswell"
    }


@pytest.mark.parametrize("separator", [":", " ", ": "])
def test_of_preloaded_libraries_only_the_names_are_kept(separator: str) -> None:
    value = separator.join(["/opt/secret/libjemalloc.so.2", "libother.so"])
    assert steering_variables({"LD_PRELOAD": value}) == {"LD_PRELOAD": "libjemalloc.so.2 libother.so"}


def test_an_address_in_a_value_is_not_kept() -> None:
    assert steering_variables({"KMP_AFFINITY": "someone@example.org"}) == {"KMP_AFFINITY": "<address>"}


def test_the_environment_tells_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in STEERING_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    assert describe_environment(ROOT)["variables"] == {}
    monkeypatch.setenv("NPY_DISABLE_CPU_FEATURES", "AVX512F")
    assert describe_environment(ROOT)["variables"] == {"NPY_DISABLE_CPU_FEATURES": "AVX512F"}


def test_runs_that_were_steered_otherwise_are_of_another_environment() -> None:
    steered = {**RECORDED, "variables": {"OPENBLAS_CORETYPE": "Haswell"}}
    free = {**RECORDED, "variables": {}}
    assert not same_environment(steered, free)
    assert differences(steered, free) == [
        Difference("OPENBLAS_CORETYPE", "Haswell", "not set", "export OPENBLAS_CORETYPE=Haswell")
    ]
    assert differences(free, steered) == [
        Difference("OPENBLAS_CORETYPE", "not set", "Haswell", "unset OPENBLAS_CORETYPE")
    ]


def test_nothing_is_said_of_a_run_that_did_not_record_them() -> None:
    assert differences(RECORDED, {**RECORDED, "variables": {"OPENBLAS_CORETYPE": "Haswell"}}) == []
