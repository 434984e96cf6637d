"""The findings as a comment, as a JUnit report and as JSON: what counts comes first, and no text does harm."""

from __future__ import annotations

import dataclasses
import json
import re
from datetime import date
from xml.etree import ElementTree

import pytest

from harness.cli.gating import exit_code
from harness.comparing import Change
from harness.gate import wording
from harness.gate.junit import to_junit
from harness.gate.markdown import MARK, code, to_markdown
from harness.gate.noise import Noise
from harness.gate.results import Compared, Fault, Findings
from harness.gate.rules import Accepted
from harness.statistics import Estimate

NASTY = "a|b <script>alert(1)</script> @someone #12 `x` **b** [l](http://e.x) \x1b[31m ‮ ]]> &amp; _u_"


def row(verdict: Change, ratio: float, **others: object) -> Compared:
    estimate = Estimate(ratio, ratio * 0.99, ratio * 1.01, 7)
    found = Compared(
        "total", "plain", "n=10", "cpu", "float32", 1, "time", estimate, verdict, 0.02, 7, 1e6, ratio * 1e6
    )
    return dataclasses.replace(found, **others)  # type: ignore[arg-type]


SLOWER, SAME, OPEN = row("slower", 1.2), row("same", 1.0, case="n=11"), row("undecided", 1.02, case="n=12")
FASTER = row("faster", 0.4, case="n=13")
WANTED = Accepted("total/plain", "checks its input", date(2026, 12, 31))
FOUND = Findings(
    "main (abc)",
    "the working tree",
    compared=(SAME, OPEN, FASTER, SLOWER),
    chosen={("total", "plain"): "impls/total/plain.py changed"},
    skipped={("total", "other"): "same code, same packages"},
    noise=(Noise("python", 1.001, 0.99, 1.01, 0.005, 0.0, 0.02),),
)


def only(*rows: Compared, **others: object) -> Findings:
    return dataclasses.replace(FOUND, compared=rows, **others)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("findings", "verdict", "exits", "exits_strictly"),
    [
        (FOUND, "slower", 1, 1),
        (only(SAME), "same", 0, 0),
        (only(SAME, OPEN), "undecided", 0, 4),
        (only(SAME, FASTER), "faster", 0, 0),
        (only(dataclasses.replace(SLOWER, accepted=WANTED), SAME), "same", 0, 0),
        (only(SAME, broken=(Fault("total", "plain", "n=1", "wrong", ""),)), "slower", 1, 1),
        (only(SAME, hindered=(Fault("total", "plain", "", "unavailable", ""),)), "undecided", 3, 3),
        (only(SLOWER, hindered=(Fault("total", "x", "", "unavailable", ""),)), "slower", 1, 1),
        (only(broken_before=(Fault("total", "plain", "n=1", "failed", ""),)), "same", 3, 3),
        (only(SAME, broken_before=(Fault("total", "x", "n=1", "failed", ""),)), "same", 0, 0),
        (Findings("a", "b"), "same", 0, 0),
    ],
)
def test_verdict_and_exit_code(findings: Findings, verdict: str, exits: int, exits_strictly: int) -> None:
    assert findings.verdict == verdict
    assert exit_code(findings, strict=False) == exits
    assert exit_code(findings, strict=True) == exits_strictly


def test_the_comment_says_the_verdict_first_then_what_moved() -> None:
    text = to_markdown(FOUND)
    lines = [line for line in text.splitlines() if line]
    assert lines[0] == MARK
    assert "slower" in lines[1]
    moved, folded = text.index("What moved"), text.index("<details>")
    for figure in ("+20.0 %", "+18.8 % to +21.2 %", "x 0.4"):
        assert moved < text.index(figure) < folded
    assert text.index("+2.0 %") > folded
    assert text.count("<details>") == text.count("</details>")
    assert "twice the same" in text


def test_every_row_of_the_tables_has_as_many_cells() -> None:
    named = dataclasses.replace(SLOWER, implementation=NASTY, case=NASTY)
    rows = [line for line in to_markdown(only(named, SAME)).splitlines() if line.startswith("|")]
    assert {line.count("|") for line in rows} == {8}


def test_no_text_of_the_code_under_test_is_more_than_text() -> None:
    findings = only(
        row("slower", 1.2, implementation=NASTY),
        broken=(Fault("total", "plain", NASTY, "failed", NASTY),),
        left_out={NASTY: NASTY},
        notes=(NASTY,),
        chosen={("total", NASTY): NASTY},
    )
    text = to_markdown(findings)
    assert set(re.findall(r"</?(\w+)", text)) == {"code", "details", "summary"}
    for harm in ("`x`", "**b**", "](http", "\x1b", "‮", "_u_", "@someone"):
        assert harm not in text, harm
    assert not re.search(r"(?<!&)#\d", text)
    for mark in re.findall(r"&#(?:64|35);(?!&#8203;)", text):
        before = text[: text.index(mark)]
        assert before.rfind("<code>") > before.rfind("</code>")  # where no renderer looks for names
    root = ElementTree.fromstring(to_junit(findings))
    messages = [each.get("message", "") for each in root.iter("failure")]
    assert any("<script>" in message and "\\x1b" in message for message in messages)


def test_code_can_be_read_again() -> None:
    from html import unescape

    shown = code("knn/numba_kdtree n=4000 <x> | y")
    assert unescape(shown.removeprefix("<code>").removesuffix("</code>")) == "knn/numba_kdtree n=4000 <x> | y"


def test_junit() -> None:
    findings = dataclasses.replace(FOUND, broken=(Fault("total", "bad", "n=1", "wrong", "off by 3"),))
    root = ElementTree.fromstring(to_junit(findings))
    assert {name: root.get(name) for name in ("tests", "failures", "errors", "skipped")} == {
        "tests": "6", "failures": "2", "errors": "0", "skipped": "2",
    }  # fmt: skip
    failure = next(case for case in root.iter("testcase") if case.get("name") == "n=10 float32 time")
    assert failure.get("classname") == "total.plain"
    assert "+20.0 %" in failure.find("failure").get("message")  # type: ignore[union-attr, operator]


def test_json_has_the_keys_of_the_design() -> None:
    document = json.loads(json.dumps(FOUND.to_json(), allow_nan=False))
    assert document["verdict"] == "slower"
    keys = {"suite", "implementation", "case", "ratio", "low", "high", "verdict"}
    assert all(keys <= set(comparison) for comparison in document["comparisons"])
    unknown = Estimate.without_interval(float("nan"), 0)
    nothing = dataclasses.replace(OPEN, ratio=unknown, base_value=float("nan"))
    (comparison,) = json.loads(json.dumps(only(nothing).to_json(), allow_nan=False))["comparisons"]
    assert (comparison["ratio"], comparison["low"], comparison["base"]) == (None, None, None)


@pytest.mark.parametrize(
    ("ratio", "words"), [(1.051, "+5.1 %"), (0.949, "-5.1 %"), (3.2, "x 3.2"), (0.2, "x 0.2"), (float("nan"), "?")]
)
def test_changes_in_words(ratio: float, words: str) -> None:
    assert wording.change(ratio) == words


def test_what_ended_is_said() -> None:
    said = " ".join(wording.remarks(dataclasses.replace(FOUND, expired=(WANTED,), finished=False)))
    assert "ended on 2026-12-31 and counts no more" in said
    assert "budget ended" in said
    accepted = only(dataclasses.replace(SLOWER, accepted=WANTED))
    assert "checks its input" in " ".join(wording.remarks(accepted))
    assert "1 slower and accepted" in wording.headline(accepted)
