"""Whatever the loader lets through, what computes with it copes; and the fuzzer finds what it is there to find."""

from __future__ import annotations

import io
from contextlib import suppress
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from harness.claims import evaluate_claims
from harness.comparing import Incomparable
from harness.contract import Case
from harness.history.comparing import compare_histories
from harness.history.runs import read_run
from harness.loading import Run, read_records
from harness.records import Record
from harness.reporting.origin import describe_origin
from harness.tables import COLUMNS, tidy_table
from tests.reporting.building import ENVIRONMENT, make_suite
from tests.torture.fuzz_records import failure_of, own_loop, seeds

from .building import names, records, scalars, trials

SUITE = make_suite()
ODD_CASES = st.dictionaries(st.sampled_from(["n", "m"]), scalars, max_size=2).map(Case.of)
of_the_suite = st.builds(
    lambda record, trial: Record(**{**vars(record), "trial": trial}),
    records,
    st.builds(
        lambda trial, changes: type(trial)(**{**vars(trial), **changes}),
        trials,
        st.fixed_dictionaries(
            {
                "suite": st.just("sums") | names,
                "implementation": st.sampled_from(["plain", "quick", ""]) | names,
                "case": st.sampled_from([100, 1000, 10_000]).map(lambda n: Case.of({"n": n})) | ODD_CASES,
                "dtype": st.sampled_from(["float32", "int3"]),
                "threads": st.just(1),
            }
        ),
    ),
)


@settings(max_examples=40)
@given(st.lists(of_the_suite, max_size=8))
def test_no_record_breaks_a_table_a_claim_or_a_comparison(found: list[Record]) -> None:
    table = tidy_table(found, {"sums": SUITE}, ENVIRONMENT)
    assert list(table.columns) == list(COLUMNS)
    for result in evaluate_claims([SUITE], found, ENVIRONMENT):
        assert result.to_json()["verdict"]
    assert describe_origin("run", ENVIRONMENT, found).name == "run"
    run = Run(Path("run"), ENVIRONMENT, tuple(found))
    with suppress(Incomparable):
        history = read_run(run, run.name)
        compare_histories(history, history)


def test_the_fuzzer_finds_a_planted_defect_and_no_other() -> None:
    """A reader that fails where the real one warns of depth."""

    def planted(text: bytes) -> str:
        _, warnings = read_records(io.BytesIO(text))
        return "planted" if any("nested too deeply" in warning for warning in warnings) else ""

    assert failure_of(b"") == ""
    sound = own_loop(60.0, seed=1, most=300)
    assert sound["failures"] == {}
    assert sound["executions"] == 300
    assert len(seeds()) < sound["corpus"] < 300
    assert set(own_loop(60.0, seed=1, fails=planted, most=3000)["failures"]) == {"planted"}
