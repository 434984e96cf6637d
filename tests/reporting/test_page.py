"""The page of a run: whole, self-contained, safe, and honest about what is not there."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path

import pytest

from harness.reporting.page import render_page, write_page

from .building import (
    ENVIRONMENT,
    Page,
    make_catalogue,
    make_record,
    make_run,
    make_suite,
    make_trial,
    measured,
    usual_records,
)


@pytest.fixture(scope="module")
def html() -> str:
    return render_page(make_run(usual_records()), make_catalogue(make_suite()))


@pytest.fixture(scope="module")
def page(html: str) -> Page:
    return Page(html)


def test_page_is_written_under_the_name_of_the_run(tmp_path: Path) -> None:
    path = write_page(make_run([]), make_catalogue(make_suite()), tmp_path / "new" / "reports")
    assert path == tmp_path / "new" / "reports" / "some-run.html"
    assert [file.name for file in path.parent.iterdir()] == ["some-run.html"]
    assert path.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


def test_page_is_well_formed(page: Page) -> None:
    assert page.problems == []
    assert page.count("h1") == 1
    assert len(page.ids) == len(set(page.ids))


def test_every_inner_link_has_a_target(page: Page) -> None:
    links = {value[1:] for _, attributes in page.tags if (value := attributes.get("href") or "").startswith("#")}
    assert links
    assert links <= set(page.ids)
    assert {"suite-sums", "claim-sums.1", "claim-sums.4"} <= links


def test_nothing_is_loaded_from_anywhere(html: str, page: Page) -> None:
    assert not {"link", "iframe", "img", "object"} & {tag for tag, _ in page.everything}
    loaded = [
        value for _, tag in page.everything for name, value in tag.items() if name in ("src", "href", "xlink:href")
    ]
    assert all(value and value.startswith("#") for value in loaded)
    assert "@import" not in html
    assert all(target.startswith("#") for target in re.findall(r"url\(([^)]*)\)", html))
    assert "default-src 'none'" in html


def test_only_the_page_s_own_script_may_run(html: str, page: Page) -> None:
    (script,) = page.scripts
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in html
    assert "unsafe-eval" not in html


def test_figures_carry_their_data(page: Page) -> None:
    assert len(page.data) == page.count("figure") == 7
    speed = page.data[0]
    assert speed["columns"] == ["implementation", "ratio", "ratio_low", "ratio_high"]
    assert [row[0] for row in speed["rows"]] == ["quick", "plain"]
    assert speed["rows"][0][1] == pytest.approx(0.5, rel=0.01)


def test_every_claim_is_shown_with_its_verdict(page: Page) -> None:
    verdicts = [
        (attributes.get("class") or "").removeprefix("claim ") for tag, attributes in page.tags if tag == "article"
    ]
    assert verdicts == ["reproduced", "refuted", "inconclusive", "inconclusive", "not-tested"]
    for words in ("there is no such GPU", "原句。", "notes, page 7", "The band is ours.", "at most 1", "0.5 (0.4"):
        assert words in page.text
    assert any(attributes.get("lang") == "zh" for tag, attributes in page.tags if tag == "blockquote")


def test_wrong_answers_show_no_time(html: str) -> None:
    assert "after measuring: total is off by 1" in html
    assert "123 µs" not in html.replace("\u00a0", " ")
    assert "figure-speed-sums" in html
    chart = html[html.index("figure-speed-sums") : html.index("</figure>")]
    assert "quick" in chart
    assert "cheat" not in chart


def test_counts_of_contestants_are_in_the_header(page: Page) -> None:
    header = page.text[: page.text.index("Which claims")]
    for words in ("2 right", "1 wrong", "1 failed", "1 unavailable", "4711", "Imagined CPU, 2 CPUs", "4 March 2026"):
        assert words in header


def test_what_was_not_measured_says_why(page: Page) -> None:
    absent = page.text[page.text.index("What was not measured") :]
    reasons = ("NVML not found", "no RAPL counter", "package speedy is not installed", "worker ended by SIGSEGV")
    assert [reason for reason in reasons if reason not in absent] == []


def test_what_steered_libraries_is_shown_with_the_machine(html: str) -> None:
    assert "OPENBLAS_CORETYPE=Haswell (the CPU for which OpenBLAS computes)" in html


def test_page_ends_with_the_command_that_repeats_it(page: Page) -> None:
    assert "bakeoff run sums --seed 4711 --profile quick --device all --where n=100" in page.text
    assert "abc123, with local changes" in page.text
    assert "something else was running" in page.text


def test_figures_hold_the_data(html: str) -> None:
    charts = re.findall(r'<svg class="chart".*?</svg>', html, re.DOTALL)
    assert len(charts) == 7
    speed = charts[0]
    assert "quick 0.5" in speed
    assert "time, × that of plain" in speed
    growth = next(chart for chart in charts if "Time along n" in chart)
    assert "quick: n^1.00" in growth
    assert all("var(--ink, #1f2428)" in chart for chart in charts)
    assert all("DejaVu" not in chart for chart in charts)


def test_hostile_texts_stay_texts() -> None:
    evil = '<script>alert("x")</script><img src=https://evil.example/x onerror=alert(1)>\'"]]>--> $x^2$ {{ 7*7 }}'
    suite = make_suite(title=evil, baseline=evil)
    records = [
        *measured(evil, 1.0),
        *measured("quick", 0.5),
        make_record(make_trial("cheat"), status="wrong", reason=evil),
        make_record(make_trial("far"), status="unavailable", reason=evil, origin=f"path {evil}"),
        make_record(make_trial("", instrument="probe", probe=evil), status="failed", reason=evil),
    ]
    environment = {**ENVIRONMENT, "machine": {"cpu": evil}, "git": {"commit": evil}, "packages": {evil: evil}}
    page = Page(
        render_page(make_run(records, environment, name=evil), make_catalogue(suite, titles={evil: evil, "new": evil}))
    )
    assert page.problems == []
    assert "img" not in {tag for tag, _ in page.everything}
    assert not any(name.startswith("on") for _, attributes in page.everything for name in attributes)
    assert len(page.scripts) == 1
    assert "alert" not in page.scripts[0]
    assert any(evil in row for data in page.data for row in data["rows"])
    assert page.text.count(evil) > 8


def test_no_records_at_all_still_gives_a_page() -> None:
    page = Page(render_page(make_run([], {}), make_catalogue(make_suite())))
    assert page.problems == []
    assert "no records in this run" in page.text
    assert "No suite in this run makes a claim" in page.text
    assert page.count("figure") == 0


def test_only_failures_give_reasons_and_no_figures() -> None:
    records = [make_record(make_trial("plain"), status="timeout", reason="took longer than 60 s", errors={})]
    page = Page(render_page(make_run(records), make_catalogue(make_suite())))
    assert page.problems == []
    assert page.count("figure") == 0
    assert "took longer than 60 s" in page.text
    assert "0 ns" not in page.text


def test_one_contestant_in_one_case_has_no_growth() -> None:
    page = Page(render_page(make_run(measured("plain", 1.0)), make_catalogue(make_suite(claims=()))))
    assert page.problems == []
    assert "Time along" not in page.text
    assert "Peak memory" in page.text
    assert "the baseline itself" in page.text


def test_records_of_a_suite_that_is_gone_are_named() -> None:
    records = [*measured("plain", 1.0), make_record(make_trial("old", suite="forgotten"))]
    page = Page(render_page(make_run(records), make_catalogue(make_suite())))
    assert "forgotten" in page.text
    assert "suite-forgotten" not in page.ids


def test_the_same_run_gives_the_same_page() -> None:
    pages = {render_page(make_run(measured("plain", 1.0)), make_catalogue(make_suite())) for _ in range(2)}
    assert len(pages) == 1


def test_asv_s_own_pages_are_linked_where_they_are(tmp_path: Path) -> None:
    run, catalogue = make_run(measured("plain", 1.0)), make_catalogue(make_suite())
    assert "asv/index.html" not in write_page(run, catalogue, tmp_path).read_text(encoding="utf-8")
    (tmp_path / "asv").mkdir()
    (tmp_path / "asv" / "index.html").write_text("<html></html>")
    page = Page(write_page(run, catalogue, tmp_path).read_text(encoding="utf-8"))
    assert "asv/index.html" in {attributes.get("href") for _, attributes in page.tags}
    assert page.problems == []
