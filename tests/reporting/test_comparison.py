"""Two sides compared as a page and as Markdown: whole, safe, and plain about what the ratios are of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from harness.claims import ClaimResult, evaluate_claims
from harness.comparing import Comparison, decide, overall
from harness.reporting.changes import Changes, Side
from harness.reporting.comparison import comparison_markdown, render_comparison
from harness.statistics import Estimate

from .building import ENVIRONMENT, Page, make_suite, measured


def compared(name: str, low: float, high: float, unit: str = "ns") -> Comparison:
    ratio = Estimate((low * high) ** 0.5, low, high, caution="from one process")
    base, head = Estimate.exact(1e6), Estimate.exact(1e6 * ratio.value)
    return Comparison("sums", name, "n=1000", "cpu", "float32", 1, "time", ratio, decide(ratio, 0.05), unit, base, head)


def verdicts(factor: float) -> Sequence[ClaimResult]:
    return evaluate_claims([make_suite()], [*measured("plain", 1.0), *measured("quick", factor)], ENVIRONMENT)


def changes(*comparisons: Comparison, across_machines: bool = False, name: str = "old-run") -> Changes:
    found = comparisons or (compared("slow", 1.5, 2.0), compared("fast", 0.3, 0.5), compared("even", 0.99, 1.01))
    return Changes(
        Side(name, "A CPU, 2 CPUs", "a" * 40, "2026-01-01", verdicts(0.5)),
        Side("new-run", "B CPU, 8 CPUs", "b" * 40, "2026-02-01", verdicts(3.0)),
        overall(found),
        found,
        ("3 left out: only the base has it",),
        across_machines,
    )


def test_what_moved_most_comes_first_with_both_figures() -> None:
    rows = changes(compared("a", 1.2, 1.4), compared("b", 2, 3), compared("c", 0.9, 1.2), compared("d", 0.1, 0.2)).rows
    assert [(row.name, row.verdict) for row in rows] == [
        ("sums/b", "slower"), ("sums/a", "slower"), ("sums/d", "faster"), ("sums/c", "undecided"),
    ]  # fmt: skip
    assert (rows[0].base, rows[0].head) == ("1\u00a0ms", "2.45\u00a0ms")
    assert rows[0].workload == "n=1000, float32, cpu, 1 thread"


def test_claims_that_came_out_differently_come_first() -> None:
    pairs = changes().claims
    assert [pair.id for pair in pairs if pair.differs] == [pair.id for pair in pairs][: sum(p.differs for p in pairs)]
    first = next(pair for pair in pairs if pair.id == "sums.1")
    assert (first.base_verdict, first.head_verdict) == ("reproduced", "refuted")
    assert first.head.startswith("3")
    assert "sums.4" not in {pair.id for pair in pairs}


def test_the_page_is_whole_and_ends_with_its_command() -> None:
    page = Page(render_comparison(changes()))
    assert page.problems == []
    assert len(page.ids) == len(set(page.ids))
    assert len(page.scripts) == 1
    for words in ("Overall: slower", "sums/slow", "bakeoff compare old-run new-run", "only the base"):
        assert words in page.text


def test_a_side_of_another_tool_has_no_claims() -> None:
    one = changes()
    page = Page(render_comparison(replace(one, base=replace(one.base, claims=()), head=replace(one.head, claims=()))))
    assert page.problems == []
    assert "Which claims hold" not in page.text


def test_two_machines_are_not_said_to_be_slower_code() -> None:
    html = render_comparison(changes(across_machines=True))
    assert "say nothing of the code" in html
    assert "Overall: slower" not in html
    assert "compare old-run new-run --machines" in html
    assert "say nothing of the code" in comparison_markdown(changes(across_machines=True))


def test_markdown_holds_what_moved_and_counts_the_rest() -> None:
    text = comparison_markdown(changes())
    assert "1 slower, 1 faster, 1 same." in text
    assert "| slower | ×\u00a01.73 | 1.5 to 2 | <code>sums/slow</code> |" in text
    assert "| faster |" in text
    assert "sums/even" not in text
    assert "reproduced" in text
    assert text.endswith("<code>bakeoff compare old-run new-run</code>\n")


@pytest.mark.parametrize("evil", ["<script>alert(1)</script>", "[x](http://e.example)", "a|b `c` @me #1 \x1b[31m"])
def test_hostile_names_are_texts(evil: str) -> None:
    found = changes(replace(compared("x", 2, 3), implementation=evil, case=evil), name=evil)
    page = Page(render_comparison(found))
    assert page.problems == []
    assert len(page.scripts) == 1
    assert evil in page.text
    text = comparison_markdown(found)
    assert not set("<[`@|\x1b") & set(
        text.replace("<code>", "").replace("</code>", "").replace(" | ", "").replace("|", "")
    )
    assert "alert(1)</script>" not in text
