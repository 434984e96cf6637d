"""Commands that read stored runs: ``table``, ``claims``, ``report``."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Sequence
from pathlib import Path

from harness.cli.outcome import ExitCode, Failure, choose, user_errors
from harness.cli.selecting import open_catalogue, select
from harness.cli.tabular import as_csv, as_json
from harness.discovery import Catalogue
from harness.loading import Run, load_run, resolve_run
from harness.printable import printable


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
        text = as_csv(table)
    elif form == "json":
        text = as_json(table)
    else:
        columns = ["suite", "implementation", "case", "threads", "phase", "instrument", "status", "estimate", "unit"]
        text = table[[*columns, "ratio"]].to_string(index=False, na_rep="") + "\n"
    if output is None:
        sys.stdout.write(text)
    else:
        output.write_text(text, encoding="utf-8")


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
        if result.scope and result.cells:
            print(f"  {result.verdict} {result.scope}")
        if claim.remark:
            print(f"  note: {claim.remark}")
        print()


def _band(low: float, high: float) -> str:
    if math.isinf(low):
        return f"at most {high:.4g}"
    if math.isinf(high):
        return f"at least {low:.4g}"
    return f"{low:.4g}" if low == high else f"{low:.4g} to {high:.4g}"


def write_report(project: Path, results: Path | None, name: str | None, output: Path | None) -> None:
    catalogue = open_catalogue(project, ())
    run = open_run(catalogue, results, name)
    from harness.history.earlier import earlier_runs
    from harness.reporting.page import write_page

    earlier = earlier_runs(run, results or catalogue.project.results)
    try:
        print(write_page(run, catalogue, output or catalogue.project.reports, earlier))
    except OSError as error:
        raise Failure(f"the page cannot be written: {error}", ExitCode.UNFINISHED) from error
