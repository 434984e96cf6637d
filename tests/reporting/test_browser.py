"""The page in a real browser: it opens from disk and works there, at any width, in any theme, for anybody."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from harness.records import Record
from harness.reporting.comparison import write_comparison_page
from harness.reporting.page import write_page

from .browser import (
    FIGURE_TEXT_THAT_IS_CUT,
    NAMES_BROKEN_INSIDE_A_WORD,
    TEXT_THAT_STICKS_OUT,
    Visit,
    open_browser,
)
from .building import SIZES, make_catalogue, make_record, make_run, make_suite, make_trial, measured, usual_records
from .test_comparison import changes, compared

LONG = "torch_chunked_recomputation_with_a_very_long_name"
COSTS = {"plain": 1.0, "quick": 0.5, LONG: 0.8, "slow": 30.0, "numba_tree": 0.1, "sklearn_balltree": 2.0}


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with open_browser() as opened:
        yield opened


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page with two suites: contestants of every standing, long names, all kinds of figures but power."""
    records: list[Record] = [record for record in usual_records() if record.trial.implementation not in COSTS]
    records += [record for n in SIZES for name, factor in COSTS.items() for record in measured(name, factor, n)]
    records += [make_record(make_trial("plain", suite="other", n=n), [{"build": 9e3, "query": 1e4}] * 5) for n in SIZES]
    catalogue = make_catalogue(make_suite(), make_suite("other", title="Something else"))
    return write_page(make_run(records), catalogue, tmp_path_factory.mktemp("a folder"))


def names(visit: Visit) -> list[str]:
    """Who is in the first leader board, from top to bottom."""
    shown: list[str] = visit.page.eval_on_selector_all(
        "#suite-sums .leaders >> nth=0 >> tbody tr:not([hidden]) .name",
        "names => names.map((name) => name.firstChild.parentNode.innerText.split('\\n')[0].trim())",
    )
    return [name.split(" ")[0] for name in shown]


def test_it_opens_from_disk_in_silence_and_asks_for_nothing(browser: Any, path: Path) -> None:
    with Visit(browser, path) as visit:
        visit.unfold_all()
        visit.page.click("#theme")
        assert visit.said == []
        assert visit.requests == [path.as_uri()]


def test_it_stays_small_and_has_few_elements(browser: Any, path: Path) -> None:
    with Visit(browser, path) as visit:
        assert path.stat().st_size < 2 * 5e6 / 31
        assert visit.page.evaluate("document.querySelectorAll('*').length") < 2 * 1500


def test_boards_sort_by_any_column_and_keep_who_has_no_figure_at_the_end(browser: Any, path: Path) -> None:
    with Visit(browser, path) as visit:
        visit.show_all()
        timed = sorted(COSTS, key=lambda name: COSTS[name])
        assert names(visit)[: len(timed)] == timed
        head = visit.page.locator("#suite-sums .leaders").first.locator("th", has_text="Time per call")
        head.locator("button").click()
        assert names(visit)[: len(timed)] == timed
        head.locator("button").click()
        assert names(visit)[: len(timed)] == timed[::-1]
        assert head.get_attribute("aria-sort") == "descending"
        visit.page.locator("#suite-sums .leaders").first.locator("th button", has_text="Implementation").click()
        assert names(visit) == sorted(names(visit))
        assert head.get_attribute("aria-sort") is None


def test_implementations_are_filtered_in_every_table_of_a_suite(browser: Any, path: Path) -> None:
    with Visit(browser, path) as visit:
        visit.show_all()
        field = visit.page.get_by_label("Filter implementations").first
        field.fill("tree")
        assert names(visit) == ["numba_tree", "sklearn_balltree"]
        visit.unfold_all()
        rows = "#suite-sums tbody tr:not([hidden])"
        assert all("tree" in name for name in visit.page.locator(f"{rows} th").all_inner_texts())
        field.fill("")
        assert len(names(visit)) == len(COSTS)


def test_claims_are_filtered_by_verdict_and_words(browser: Any, path: Path) -> None:
    with Visit(browser, path) as visit:
        visit.show_all()
        shown = ".claim:not([hidden])"
        visit.page.click("#claims button.refuted")
        assert visit.page.eval_on_selector_all(shown, "all => all.map((one) => one.id)") == ["claim-sums.2"]
        visit.page.click("#claims button.refuted")
        visit.page.get_by_label("Filter claims").last.fill("GPU faster")
        assert visit.page.locator(shown).all_inner_texts()[0].startswith("not tested")
        assert visit.page.locator("#claim-sums\\.4").is_visible()
        visit.page.get_by_label("Filter claims").last.fill("")
        assert visit.page.locator(shown).count() == 5
        visit.page.click("#summary a[data-verdict=reproduced]")
        assert visit.page.locator(shown).count() == 1


def test_links_lead_to_suites_implementations_and_claims_even_folded_away(browser: Any, path: Path) -> None:
    from playwright.sync_api import expect  # the page forbids what wait_for_function would evaluate in it

    first, *others = ("claim-sums.4", "suite-other", "impl-sums-broken", "impl-other-plain", "claim-sums.5")
    with Visit(browser, path, at=f"#{first}") as visit:
        for target in (first, *others):
            visit.page.evaluate("id => { location.hash = id; }", target)
            expect(visit.page.locator(f'[id="{target}"]')).to_be_in_viewport()


def test_a_link_to_what_was_filtered_away_brings_it_back(browser: Any, path: Path) -> None:
    with Visit(browser, path) as visit:
        visit.page.click("#claims button.refuted")
        assert not visit.page.locator("#claim-sums\\.1").is_visible()
        visit.page.evaluate("location.hash = 'claim-sums.1'")
        visit.page.locator("#claim-sums\\.1").wait_for(state="visible")


def test_other_workloads_unfold_into_boards_that_sort(browser: Any, path: Path) -> None:
    with Visit(browser, path) as visit:
        visit.unfold_all()
        board = visit.page.locator("#suite-sums .boards .leaders").first
        board.locator("th button", has_text="Time per call").click()
        assert board.locator("th[aria-sort=ascending]").count() == 1


def test_the_theme_is_the_system_s_until_another_is_chosen(browser: Any, path: Path) -> None:
    colour = "getComputedStyle(document.documentElement).backgroundColor"
    light, dark = "rgb(255, 255, 255)", "rgb(18, 22, 27)"
    with Visit(browser, path, scheme="dark") as visit:
        assert visit.page.evaluate(colour) == dark
        visit.page.emulate_media(color_scheme="light")
        assert visit.page.evaluate(colour) == light
        seen = []
        for _ in range(3):
            visit.page.click("#theme")
            seen.append((visit.page.inner_text("#theme"), visit.page.evaluate(colour)))
        assert seen == [("Theme: light", light), ("Theme: dark", dark), ("Theme: system", light)]
        visit.page.emulate_media(media="print", color_scheme="dark")
        assert visit.page.evaluate(colour) == light
        assert not visit.page.locator("nav").is_visible()


def test_a_figure_is_saved_as_svg_and_its_data_as_csv(browser: Any, path: Path, tmp_path: Path) -> None:
    with Visit(browser, path, scheme="dark") as visit:
        figure = visit.page.locator("#figure-pareto-sums")
        for kind in ("SVG", "CSV"):
            with visit.page.expect_download() as download:
                figure.get_by_role("button", name=kind).click()
            download.value.save_as(tmp_path / download.value.suggested_filename)
    svg = (tmp_path / "pareto-sums.svg").read_text(encoding="utf-8")
    assert ElementTree.fromstring(svg).tag == "{http://www.w3.org/2000/svg}svg"
    assert "var(" not in svg
    assert LONG in svg
    with (tmp_path / "pareto-sums.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["implementation"] for row in rows] == sorted(COSTS, key=lambda name: COSTS[name])
    assert float(rows[0]["time_ns"]) == pytest.approx(1e6, rel=0.05)
    assert rows[0]["on_the_front"] == "yes"


def test_no_text_overflows(browser: Any, path: Path) -> None:
    with Visit(browser, path) as visit:
        visit.unfold_all()
        visit.show_all()
        for width in (360, 800, 1440):
            visit.page.set_viewport_size({"width": width, "height": 900})
            found = visit.page.evaluate(TEXT_THAT_STICKS_OUT) + visit.page.evaluate(FIGURE_TEXT_THAT_IS_CUT)
            assert found + visit.page.evaluate(NAMES_BROKEN_INSIDE_A_WORD) == [], width
            assert visit.page.evaluate("document.documentElement.scrollWidth") <= width


def test_what_looks_for_overflow_finds_it(browser: Any, path: Path) -> None:
    with Visit(browser, path, width=360) as visit:
        visit.page.evaluate("""() => {
            document.querySelector('.lead').textContent = 'long '.repeat(30);
            document.querySelector('.lead').style.whiteSpace = 'nowrap';
            const figure = document.querySelector('#figure-pareto-sums');
            document.querySelector('header').append(figure);
            figure.querySelector('svg').style.overflow = 'visible';
            figure.querySelector('text').setAttribute('x', 395);
            document.querySelector('.leaders .name').textContent = 'unbreakable'.repeat(9);
            document.querySelector('.leaders .name').style.overflowWrap = 'anywhere';
        }""")
        visit.show_all()
        assert visit.page.evaluate(TEXT_THAT_STICKS_OUT)
        assert visit.page.evaluate(FIGURE_TEXT_THAT_IS_CUT)
        assert visit.page.evaluate(NAMES_BROKEN_INSIDE_A_WORD)


def test_no_serious_barrier_for_anybody(browser: Any, path: Path) -> None:
    with Visit(browser, path) as visit:
        visit.unfold_all()
        assert visit.accessibility_findings() == []


def test_every_text_has_contrast_in_the_dark(browser: Any, path: Path) -> None:
    with Visit(browser, path, width=360, scheme="dark") as visit:
        visit.show_all()
        assert visit.accessibility_findings(["color-contrast"]) == []
        visit.page.add_style_tag(content=".note { color: #30363c !important; }")
        assert visit.accessibility_findings(["color-contrast"], within="#claims > .note")


def test_a_comparison_works_as_a_page_too(browser: Any, tmp_path: Path) -> None:
    shown = [
        compared("slow", 1.5, 2.0),
        compared(LONG, 0.3, 0.5),
        compared("even", 0.99, 1.01),
        compared("odd", 0.8, 2),
    ]
    path = write_comparison_page(changes(*shown), tmp_path / "comparison.html")
    with Visit(browser, path, width=360) as visit:
        rows = "#changes tbody tr:not([hidden]) .name"
        assert visit.page.locator(rows).all_inner_texts()[0] == "sums/slow"
        visit.page.locator("#changes th button", has_text="Ratio").click()
        assert visit.page.locator(rows).all_inner_texts()[0] == f"sums/{LONG}"
        visit.page.get_by_label("Filter rows").first.fill("odd")
        assert visit.page.locator(rows).all_inner_texts() == ["sums/odd"]
        assert visit.page.evaluate("document.documentElement.scrollWidth") <= 360
        assert visit.page.evaluate(TEXT_THAT_STICKS_OUT) == []
        assert visit.accessibility_findings() == []
        assert visit.said == []
        assert visit.requests == [path.as_uri()]
