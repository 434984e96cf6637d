"""The study's own parts: the work is right, its shares are true counts, and the table says what was decided."""

from __future__ import annotations

import runpy
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.gate_study.__main__ import SHARES, jobs, left
from tests.gate_study.report import costs, found, write_report, wrong
from tests.gate_study.tools import TOOLS
from tests.gate_study.work import KINDS, MOST, PIECES, write_side


@pytest.mark.parametrize("share", SHARES)
@pytest.mark.parametrize("kind", KINDS)
def test_head_computes_as_many_pieces_more_and_the_same_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, share: int
) -> None:
    write_side(tmp_path, share)
    for name in [name for name in sys.modules if name.split(".")[0] in ("suites", "impls")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.syspath_prepend(str(tmp_path))
    suite = runpy.run_path(str(tmp_path / "suites" / "pieces" / "suite.py"))
    program = runpy.run_path(str(tmp_path / "impls" / "pieces" / "work.py"))
    inputs = suite["make_inputs"](np.random.default_rng(0), kind)
    calls = []
    piece = program["PIECE"][kind]

    def counted(row: np.ndarray) -> float:
        calls.append(kind)
        return float(piece(row))

    program["PIECE"][kind] = counted
    answer = program["work"].function(**inputs)
    assert len(calls) == PIECES + share
    np.testing.assert_allclose(answer, suite["reference"](**inputs)["y"], rtol=1e-9)
    for name in [name for name in sys.modules if name.split(".")[0] in ("suites", "impls")]:
        del sys.modules[name]


def test_a_share_beyond_the_prepared_pieces_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=f"between 0 and {MOST}"):
        write_side(tmp_path, MOST + 1)


def test_what_is_done_is_not_done_again_and_every_tool_comes_early() -> None:
    everything = jobs()
    assert len(set(everything)) == len(everything)
    first = left(Counter())[: len(TOOLS) * len(KINDS) * len(SHARES) * 2]
    assert {job.tool for job in first} == set(TOOLS)
    done = Counter(first)
    assert set(left(done)) == set(everything) - set(first)


@pytest.fixture
def decisions() -> pd.DataFrame:
    def rows(
        count: int, more: int, verdict: str, ratio: float, tool: str = "ours", seconds: float = 2.0
    ) -> list[dict[str, object]]:
        row = {"tool": tool, "kind": "python", "more_percent": more, "load": 0, "threshold": 0.02}
        return [row | {"repeat": 0, "verdict": verdict, "ratio": ratio, "seconds": seconds}] * count

    return pd.DataFrame(
        rows(18, 0, "same", 1.0)
        + rows(1, 0, "slower", 1.04)
        + rows(1, 0, "undecided", 1.01, seconds=10.0)
        + rows(9, 5, "slower", 1.05)
        + rows(1, 5, "same", 1.0)
        + rows(3, 10, "same", 1.1, tool="theirs")
    )


def test_the_table_counts_decisions(decisions: pd.DataFrame) -> None:
    (row,) = wrong(decisions).to_dict("records")
    assert row["called different"].startswith("1 of 20 (")
    assert row["undecided"].startswith("1 of 20 (")
    ours, theirs = found(decisions).to_dict("records")
    assert ours["+5 % found"].startswith("9 of 10 (")
    assert ours["+10 % found"] == "not tried"
    assert theirs["+10 % found"].startswith("0 of 3 (")
    assert costs(decisions).to_dict("records")[0]["longest"] == "10.0"


def test_the_report_is_written_beside_the_decisions(decisions: pd.DataFrame, tmp_path: Path) -> None:
    stored = tmp_path / "study.csv"
    decisions.to_csv(stored, index=False)
    write_report(stored, 40)
    written = stored.with_suffix(".md").read_text()
    assert f"{len(decisions)} of 40 decisions" in written
    assert "1 of 20 (" in written
    assert "<svg" in stored.with_suffix(".svg").read_text()
