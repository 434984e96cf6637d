"""``bakeoff compare``: two stored runs, files of asv or files of pytest-benchmark."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.cli.outcome import ExitCode, Failure
from harness.cli.reading import open_run
from harness.cli.selecting import open_catalogue
from harness.discovery import Catalogue

if TYPE_CHECKING:
    from harness.claims import ClaimResult
    from harness.comparing import Comparison
    from harness.history.entries import History
    from harness.reporting.changes import Changes, Side


def show_comparison(
    project: Path,
    results: Path | None,
    base: str,
    head: str,
    as_json: bool,
    across_machines: bool = False,
    page: Path | None = None,
    markdown: Path | None = None,
) -> None:
    """Exits with 1 when something became slower; two machines have nothing that became anything."""
    catalogue = open_catalogue(project, ())
    from harness.comparing import Incomparable, OtherMachine

    try:
        changes = _compare(catalogue, results, base, head, across_machines)
    except OtherMachine as reason:
        raise Failure(f"{reason}; see them side by side with --machines", ExitCode.UNFINISHED) from reason
    except Incomparable as reason:
        raise Failure(str(reason), ExitCode.UNFINISHED) from reason
    written = _write(changes, page, markdown)
    if as_json:
        rows = [_row(each) for each in changes.comparisons]
        document = {"verdict": changes.verdict, "comparisons": rows, "left_out": changes.left_out}
        print(json.dumps(document, ensure_ascii=False, indent=1))
    else:
        _show(changes)
        for path in written:
            print(f"written: {path}")
    if changes.verdict == "slower" and not across_machines:
        raise SystemExit(ExitCode.FOUND)


def _compare(catalogue: Catalogue, results: Path | None, base: str, head: str, across_machines: bool) -> Changes:
    """:raises Incomparable: they cannot be compared."""
    from harness.comparing import overall
    from harness.history.comparing import compare_histories
    from harness.reporting.changes import Changes

    (old, of_old), (new, of_new) = (
        (_open_file(catalogue, Path(name)), ()) if Path(name).is_file() else _open_run(catalogue, results, name)
        for name in (base, head)
    )
    dtypes = {suite.name: suite.dtypes.get("cpu", ()) for suite in catalogue.suites.values()}
    outcome = compare_histories(old, new, dtypes=dtypes, across_machines=across_machines)
    verdict = overall(outcome.comparisons)
    sides = _side(old, of_old), _side(new, of_new)
    return Changes(*sides, verdict, outcome.comparisons, outcome.left_out, across_machines)


def _side(history: History, claims: Sequence[ClaimResult]) -> Side:
    from harness.reporting.changes import Side

    machine = history.machine
    named = ", ".join(filter(None, (machine.cpu, f"{machine.cpus} CPUs" if machine.cpus else "")))
    moment = f"{history.measured_at:%Y-%m-%d %H:%M} UTC" if history.measured_at else ""
    return Side(history.source, named or machine.kind, history.commit, moment, claims)


def _open_run(catalogue: Catalogue, results: Path | None, name: str) -> tuple[History, Sequence[ClaimResult]]:
    from harness.claims import evaluate_claims
    from harness.history.runs import read_run

    run = open_run(catalogue, results, name)
    suites = {record.trial.suite for record in run.records}
    measured = [suite for suite in catalogue.suites.values() if suite.name in suites]
    return read_run(run, run.name), evaluate_claims(measured, run.records, run.environment)


def _write(changes: Changes, page: Path | None, markdown: Path | None) -> Sequence[Path]:
    """:raises Failure: a file cannot be written."""
    if page is None and markdown is None:
        return []
    from harness.reporting.comparison import comparison_markdown, write_comparison_page

    try:
        if page is not None:
            write_comparison_page(changes, page)
        if markdown is not None:
            markdown.write_text(comparison_markdown(changes), encoding="utf-8")
    except OSError as error:
        raise Failure(f"the comparison cannot be written: {error}", ExitCode.UNFINISHED) from error
    return [path for path in (page, markdown) if path is not None]


def _open_file(catalogue: Catalogue, path: Path) -> History:
    from harness.cli.history import warn
    from harness.history.sources import Unreadable, open_history

    try:
        history = open_history(path, catalogue.project.root)
    except Unreadable as error:
        raise Failure(str(error), ExitCode.UNFINISHED) from error
    warn(f"{history.source}: {warning}" for warning in history.warnings)
    return history


def _row(comparison: Comparison) -> dict[str, Any]:
    ratio = comparison.ratio
    return vars(comparison) | {
        "base": comparison.base.value if comparison.base else None,
        "head": comparison.head.value if comparison.head else None,
        "ratio": ratio.value,
        "low": ratio.low if ratio.has_interval else None,
        "high": ratio.high if ratio.has_interval else None,
        "caution": ratio.caution,
    }


def _show(changes: Changes) -> None:
    from harness.figures import format_interval

    comparisons = changes.comparisons
    print(f"{changes.head.name} over {changes.base.name}: {changes.verdict}")
    if changes.across_machines:
        print(f"{changes.head.machine} over {changes.base.machine}: the ratios say nothing of the code")
    for comparison in sorted(comparisons, key=lambda each: -each.ratio.value):
        name = f"{comparison.name} {comparison.case} {comparison.instrument}"
        interval = format_interval(comparison.ratio.low, comparison.ratio.high) or "no interval"
        print(f"  {comparison.verdict:<9} {comparison.ratio.value:6.3f} ({interval})  {name}")
    for reason in changes.left_out:
        print(f"  {reason}")
    for pair in changes.claims:
        if pair.differs:
            print(f"  claim {pair.id}: {pair.base_verdict or 'not run'}, now {pair.head_verdict or 'not run'}")
    if changes.cautions:
        print("what weakens them:")
    for caution, count in changes.cautions:
        print(f"  {count} of {len(comparisons)}: {caution}")
