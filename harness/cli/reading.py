"""Commands that read stored runs: ``table``, ``claims``, ``compare``, ``report``."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from harness.cli.outcome import ExitCode, Failure, choose, user_errors
from harness.cli.selecting import open_catalogue, select
from harness.discovery import Catalogue
from harness.loading import Run, load_run, resolve_run
from harness.printable import printable, spreadsheet_cell

if TYPE_CHECKING:
    import pandas as pd


def open_run(catalogue: Catalogue, results: Path | None, name: str | None) -> Run:
    with user_errors():
        run = load_run(resolve_run(results or catalogue.project.results, name))
    for warning in run.warnings:
        print(f"bakeoff: warning: {printable(str(run.path))}/{warning}", file=sys.stderr)
    return run


def show_table(project: Path, results: Path | None, name: str | None, form: str, output: Path | None) -> None:
    choose("--format", form, ("text", "csv", "json", "parquet"))
    if form == "parquet" and output is None:
        raise Failure("--format parquet is binary; name a file with --output")
    catalogue = open_catalogue(project, ())
    run = open_run(catalogue, results, name)
    from harness.tables import tidy_table

    table = tidy_table(run.records, catalogue.suites, run.environment)
    if form == "parquet" and output is not None:
        table.to_parquet(output, index=False)
        return
    if form == "csv":
        text = _defused(table).to_csv(index=False)
    elif form == "json":
        rows = [
            {
                key: None if isinstance(value, float) and not math.isfinite(value) else value
                for key, value in row.items()
            }
            for row in table.to_dict(orient="records")
        ]
        text = json.dumps(rows, ensure_ascii=False, indent=1) + "\n"
    else:
        columns = ["suite", "implementation", "case", "threads", "phase", "instrument", "status", "estimate", "unit"]
        text = table[[*columns, "ratio"]].to_string(index=False, na_rep="") + "\n"
    if output is None:
        sys.stdout.write(text)
    else:
        output.write_text(text, encoding="utf-8")


def _defused(table: pd.DataFrame) -> pd.DataFrame:
    """The table with no text that a spreadsheet would run as a formula."""
    texts = table.select_dtypes(exclude="number")
    return table.assign(
        **{
            str(name): [spreadsheet_cell(cell) if isinstance(cell, str) else cell for cell in column]
            for name, column in texts.items()
        }
    )


def show_claims(project: Path, results: Path | None, name: str | None, selection: Sequence[str], as_json: bool) -> None:
    catalogue = open_catalogue(project, ())
    if name in catalogue.suites:  # `bakeoff claims knn` means the newest run
        name, selection = None, [str(name), *selection]
    run = open_run(catalogue, results, name)
    suites = select(catalogue, selection).suites
    from harness.claims import evaluate_claims

    results_of_claims = evaluate_claims(suites.values(), run.records, run.environment)
    if as_json:
        print(json.dumps([result.to_json() for result in results_of_claims], ensure_ascii=False, indent=1))
        return
    from harness.figures import format_interval

    print(f"claims on run {run.name}\n")
    for result in results_of_claims:
        claim = result.claim
        print(f"{claim.id}: {result.verdict}")
        print(f"  {claim.statement} [{claim.source}]")
        if claim.sentence:
            print(f"  {claim.sentence}")
        for cell in result.cells:
            band = f"band {_band(cell.band.low, cell.band.high)}"
            if cell.estimate is None:
                print(f"  - {cell.label}: not tested: {cell.reason}")
            else:
                figure = f"{cell.estimate.value:.4g}"
                interval = format_interval(cell.estimate.low, cell.estimate.high)
                exact = cell.estimate.low == cell.estimate.high
                print(f"  - {cell.label}: {cell.verdict}: {figure}{'' if exact else f' ({interval})'}, {band}")
        if not result.cells:
            print(f"  {result.reason}")
        if claim.remark:
            print(f"  note: {claim.remark}")
        print()


def _band(low: float, high: float) -> str:
    if math.isinf(low):
        return f"at most {high:.4g}"
    if math.isinf(high):
        return f"at least {low:.4g}"
    return f"{low:.4g}" if low == high else f"{low:.4g} to {high:.4g}"


def show_comparison(project: Path, results: Path | None, base: str, head: str, as_json: bool) -> None:
    """Exits with 1 when something became slower."""
    catalogue = open_catalogue(project, ())
    runs = [open_run(catalogue, results, name) for name in (base, head)]
    from harness.comparing import Incomparable, compare_runs, overall

    try:
        comparisons = compare_runs(runs[0], runs[1])
    except Incomparable as reason:
        raise Failure(str(reason), ExitCode.UNFINISHED) from reason
    verdict = overall(comparisons)
    if as_json:
        rows = [
            vars(comparison)
            | {
                "ratio": comparison.ratio.value,
                "low": comparison.ratio.low if comparison.ratio.has_interval else None,
                "high": comparison.ratio.high if comparison.ratio.has_interval else None,
            }
            for comparison in comparisons
        ]
        print(json.dumps({"verdict": verdict, "comparisons": rows}, indent=1))
    else:
        from harness.figures import format_interval

        print(f"{runs[1].name} over {runs[0].name}: {verdict}")
        for comparison in sorted(comparisons, key=lambda each: -each.ratio.value):
            name = f"{comparison.suite}/{comparison.implementation} {comparison.case} {comparison.instrument}"
            interval = format_interval(comparison.ratio.low, comparison.ratio.high)
            print(f"  {comparison.verdict:<9} {comparison.ratio.value:6.3f} ({interval})  {name}")
    if verdict == "slower":
        raise SystemExit(ExitCode.FOUND)


def write_report(project: Path, results: Path | None, name: str | None, output: Path | None) -> None:
    catalogue = open_catalogue(project, ())
    run = open_run(catalogue, results, name)
    from harness.reporting.page import write_page

    try:
        print(write_page(run, catalogue, output or catalogue.project.reports))
    except OSError as error:
        raise Failure(f"the page cannot be written: {error}", ExitCode.UNFINISHED) from error
