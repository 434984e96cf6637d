"""Every suite and every implementation keeps the contract: the same tests for all, whatever the topic."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from harness.cli.checking import check_records
from harness.config import find_project
from harness.contract import TOTAL, Suite
from harness.discovery import Catalogue, load_catalogue
from harness.environment import available_devices, usable_cpus
from harness.needs import needs_of
from harness.plan import Scope
from harness.runner.server import ForkServer
from harness.runner.workers import WorkerPool
from harness.worker.arrays import draw_inputs, for_reference
from harness.worker.checking import measure_errors

ROOT = Path(__file__).parents[1]
SEED = 20_260


@cache
def catalogue() -> Catalogue:
    return load_catalogue(find_project(ROOT))


SUITES = tuple(catalogue().suites)
IMPLEMENTATIONS = tuple((listing.suite, listing.name) for listing in catalogue().listings)
CLAIMS = tuple((suite.name, claim.id) for suite in catalogue().suites.values() for claim in suite.claims)


@pytest.fixture(scope="session")
def pool() -> Iterator[WorkerPool]:
    """One for all suites: its fork server imports for seconds."""
    with WorkerPool(ForkServer(catalogue().project.preload)) as pool:
        yield pool


@pytest.mark.parametrize("name", SUITES)
def test_every_implementation_is_right_or_says_why_it_cannot_run(name: str, pool: WorkerPool) -> None:
    """On every quick case and every edge case, in every dtype that it has; all of a suite in one go."""
    everything = catalogue()
    scope = Scope(profile="quick", devices=available_devices(), cpu_count=usable_cpus(), seed=SEED)
    # One at a time: tests run side by side already.
    records = check_records(everything, everything.select([name]), scope, pool, at_once=1)
    bad = [
        f"{trial.implementation} {trial.case.label} {trial.dtype}: {record.status}: {record.reason}"
        for record in records
        if record.status not in ("ok", "unavailable") and (trial := record.trial)
    ]
    assert bad == []
    assert all(record.reason for record in records if record.status == "unavailable")
    assert {record.trial.implementation for record in records} == {listing.name for listing in everything.of(name)}


@pytest.mark.parametrize(("suite", "implementation"), IMPLEMENTATIONS)
def test_every_implementation_says_what_it_is(suite: str, implementation: str) -> None:
    listing = catalogue().find(suite, implementation)
    assert len(listing.title) > 10, f"{listing.path} needs a docstring whose first line says what it is"


@pytest.mark.parametrize("name", SUITES)
def test_baseline_and_naive_exist_and_run_anywhere(name: str) -> None:
    suite = catalogue().suites[name]
    for role in (suite.baseline, suite.naive):
        listing = catalogue().find(name, role)
        assert listing.available
        assert "cpu" in listing.devices


@pytest.mark.parametrize("name", SUITES)
def test_enough_contestants_of_which_some_run_everywhere(name: str) -> None:
    listings = catalogue().of(name)
    assert len(listings) >= 6
    assert sum(listing.available and "cpu" in listing.devices for listing in listings) >= 4


@pytest.mark.parametrize("name", SUITES)
def test_the_axis_has_enough_sizes_for_a_growth_exponent(name: str) -> None:
    suite = catalogue().suites[name]
    sizes = {case[suite.axis] for case in suite.cases_of("quick") if suite.axis in case}
    assert len(sizes) >= 3


@pytest.mark.parametrize("name", SUITES)
def test_inputs_follow_the_seed(name: str) -> None:
    suite = catalogue().suites[name]
    case = suite.cases[0]
    dtype = suite.dtypes["cpu"][0]
    first, again, other = (draw_inputs(suite, case, dtype, seed) for seed in (1, 1, 2))
    arrays = [key for key, value in first.items() if isinstance(value, np.ndarray)]
    assert all(np.array_equal(first[key], again[key]) for key in arrays)
    assert any(not np.array_equal(first[key], other[key]) for key in arrays)


def corruptions(expected: dict[str, np.ndarray]) -> Iterator[tuple[str, str, np.ndarray]]:
    """Wrong answers: (what is wrong, output, array), one output at a time."""
    rng = np.random.default_rng(5)
    for name, array in expected.items():
        if array.size < 2 or np.ptp(array.astype(np.float64)[np.isfinite(array)]) == 0:
            continue
        yield "zeros", name, np.zeros_like(array)
        yield "shuffled", name, rng.permutation(array.ravel()).reshape(array.shape)
        if np.issubdtype(array.dtype, np.floating):
            broken = array.copy()
            broken.flat[array.size // 2] = np.nan
            yield "one NaN", name, broken


@pytest.mark.parametrize("name", SUITES)
def test_zeros_a_shuffled_answer_and_nan_are_caught(name: str) -> None:
    """The suite's own error measure and tolerance reject what no right implementation could return."""
    suite = catalogue().suites[name]
    dtype = suite.dtypes["cpu"][0]
    case = suite.cases[0]
    inputs = draw_inputs(suite, case, dtype, SEED)
    expected = {key: np.asarray(value) for key, value in suite.reference(**for_reference(suite, inputs)).items()}
    delivered = {output.name: expected[output.name].astype(output.expected_dtype(dtype)) for output in suite.outputs}
    kinds = {listing.kind for listing in catalogue().of(name)}
    accepted: list[str] = []
    tried = 0
    for kind in sorted(kinds):
        for what, output, array in corruptions(delivered):
            wrong = {**delivered, output: array}
            tried += 1
            if _accepts(suite, wrong, expected, inputs, kind, dtype):
                accepted.append(f"{output}: {what} (kind {kind!r})")
    assert tried > 0
    assert accepted == []


@pytest.mark.parametrize("name", SUITES)
def test_the_reference_is_right_by_its_own_measure(name: str) -> None:
    suite = catalogue().suites[name]
    dtype = suite.dtypes["cpu"][0]
    inputs = draw_inputs(suite, suite.cases[0], dtype, SEED)
    expected = {key: np.asarray(value) for key, value in suite.reference(**for_reference(suite, inputs)).items()}
    assert set(expected) == {output.name for output in suite.outputs}
    for listing in catalogue().of(name):
        assert _accepts(suite, expected, expected, inputs, listing.kind, dtype)


def _accepts(
    suite: Suite,
    outputs: dict[str, np.ndarray],
    expected: dict[str, np.ndarray],
    inputs: dict[str, object],
    kind: str,
    dtype: str,
) -> bool:
    """Whether every output is within its limit; one held to the naive version's error may be off by a hundredth."""
    errors = measure_errors(suite, outputs, expected, inputs, kind)
    limits = {
        output.name: output.tolerance.limits.get(dtype, output.tolerance.limits.get("*", 0.01))
        for output in suite.outputs
    }
    return all(error <= limits[output] for output, error in errors.items())


@pytest.mark.parametrize("name", SUITES)
def test_what_a_large_case_is_checked_on_has_an_answer(name: str) -> None:
    """Smaller inputs can be of another kind: fewer rows than columns, classes that a plane separates."""
    suite = catalogue().suites[name]
    if suite.check_case is None:
        return
    checked = [dict(suite.check_case(case)) for case in suite.cases]
    smaller = {repr(found): found for found, case in zip(checked, suite.cases, strict=True) if found != dict(case)}
    for case in smaller.values():
        assert suite.reference(**for_reference(suite, draw_inputs(suite, case, suite.dtypes["cpu"][0], SEED)))


@pytest.mark.parametrize("name", SUITES)
def test_the_work_model_covers_every_phase_and_grows(name: str) -> None:
    suite = catalogue().suites[name]
    if suite.work is None:
        pytest.skip(f"{name} has no work model")
    cases = sorted(suite.cases_of("quick"), key=lambda case: float(case.get(suite.axis, 0)))
    smallest, largest = (suite.work(4, **case) for case in (cases[0], cases[-1]))
    assert set(smallest) <= set(suite.phases)
    least = [sum(work.flops + work.bytes_moved for work in phases.values()) for phases in (smallest, largest)]
    assert least[0] < least[1]


@pytest.mark.parametrize(("name", "claim_id"), CLAIMS)
def test_every_claim_names_what_exists(name: str, claim_id: str) -> None:
    """Implementations, probes, phases, parameters and dtypes that a claim's evidence names are there."""
    suite = catalogue().suites[name]
    (claim,) = [claim for claim in suite.claims if claim.id == claim_id]
    assert claim.statement
    assert claim.source
    assert not claim.source.lower().startswith("seed")
    names = {listing.name for listing in catalogue().of(name)}
    signature = inspect.signature(suite.make_inputs)
    for cell in claim.cells:
        for need in needs_of(cell.evidence):
            assert not need.implementation or need.implementation in names, f"{claim.id}: {need.implementation}"
            if need.instrument == "probe":
                assert need.probe in suite.probes, f"{claim.id}: probe {need.probe}"
                continue
            signature.bind(None, **need.case)  # raises TypeError where a parameter is missing or unknown
            listing = catalogue().find(name, need.implementation)
            assert need.dtype in listing.dtypes, f"{claim.id}: {need.implementation} has no {need.dtype}"
            assert need.device in listing.devices, f"{claim.id}: {need.implementation} is not for {need.device}"
            assert not listing.excludes(need.case), f"{claim.id}: {listing.excludes(need.case)}"
        where = getattr(cell.evidence, "where", None)
        if where is not None:
            assert where.phase == TOTAL or where.phase in suite.phases
            assert not where.until or where.until in suite.phases
            assert getattr(cell.evidence, "denominator_phase", "") in ("", *suite.phases)
