"""The final table and the claims on a terminal of 80 columns."""

from __future__ import annotations

import math
from collections.abc import Mapping
from textwrap import shorten

import pandas as pd
from rich.console import Console
from rich.table import Table
from rich.text import Text

from harness.claims import ClaimResult, evaluate_claims
from harness.contract import TOTAL
from harness.discovery import Catalogue
from harness.figures import format_bytes, format_duration, format_interval, format_ratio
from harness.loading import Run
from harness.printable import printable
from harness.tables import tidy_table

_STYLE: Mapping[str, str] = {
    "reproduced": "green",
    "refuted": "red",
    "inconclusive": "yellow",
    "not tested": "dim",
}

_VERDICT_WIDTH = len("inconclusive")
_FIGURE_WIDTH = 9
_PADDING = 8


def show_run(run: Run, catalogue: Catalogue) -> None:
    """Per suite the leader board of its headline case, what went wrong, and the verdicts."""
    console = Console(emoji=False, highlight=False)
    table = tidy_table(run.records, catalogue.suites, run.environment)
    for name in catalogue.suites:
        part = table[(table.suite == name) & (table.phase == TOTAL)]
        if not part.empty:
            _show_suite(console, name, part)
    _show_failures(console, table)
    _show_claims(console, evaluate_claims(catalogue.suites.values(), run.records, run.environment))
    for warning in run.warnings:
        console.print(Text(f"warning: {printable(str(run.path))}/{warning}"))


def _show_suite(console: Console, name: str, table: pd.DataFrame) -> None:
    timed = table[(table.instrument == "time") & (table.status == "ok")]
    if timed.empty:
        return
    workloads = timed.groupby(["case", "device", "dtype", "threads", "until"], sort=False)
    sizes = workloads.size()
    slowest = workloads["estimate"].max()
    # the headline is the workload with most contestants, and of those the heaviest
    case, device, dtype, threads, until = max(sizes.index, key=lambda key: (sizes[key], slowest[key]))
    chosen = timed[
        (timed.case == case)
        & (timed.device == device)
        & (timed.dtype == dtype)
        & (timed.threads == threads)
        & (timed.until == until)
    ].sort_values("estimate")
    title = f"{name}: {case}, {dtype}, {device}, {threads} thread{'s' if threads > 1 else ''}"
    board = Table(title=Text(title, style="bold"), title_justify="left", title_style="bold", box=None, pad_edge=False)
    board.add_column("implementation", no_wrap=True)
    for heading in ("time", "x base", "95 % interval", "memory", "error"):
        board.add_column(heading, justify="right", no_wrap=True, min_width=5)
    for row in chosen.itertuples():
        board.add_row(
            Text(str(row.implementation)),
            format_duration(row.estimate),
            format_ratio(row.ratio),
            format_interval(row.ratio_low, row.ratio_high),
            format_bytes(_memory(table, row)),
            f"{row.error:.0e}" if not math.isnan(row.error) else "",
        )
    console.print(board)
    console.print("[dim]The intervals are of the ratios and hold together.[/dim]")
    fastest = chosen.iloc[0]
    if not math.isnan(fastest.loop):
        console.print(
            f"[dim]An empty loop is taken out, of the first one {fastest.loop:.3g} ns ({fastest.loop_low:.3g} to "
            f"{fastest.loop_high:.3g}); under {fastest.floor:.3g} ns it could not be told from noise.[/dim]"
        )
    others = len(sizes) - 1
    if others:
        console.print(f"[dim]{others} more workload{'s' if others > 1 else ''} in the page and in: bakeoff table[/dim]")
    console.print()


def _memory(table: pd.DataFrame, row: object) -> float:
    same = table[table.instrument == "memory"]
    for column in ("case", "device", "dtype", "implementation", "until"):
        same = same[same[column] == getattr(row, column)]
    return float(same.estimate.iloc[0]) if len(same) else math.nan


def _show_failures(console: Console, table: pd.DataFrame) -> None:
    bad = table[~table.status.isin(["ok", "unavailable"])].drop_duplicates(
        ["suite", "implementation", "probe", "case", "device", "dtype", "status"]
    )
    for row in bad.to_dict(orient="records"):
        what = f"{row['suite']}/{row['implementation'] or row['probe']} {row['case']} {row['dtype']}"
        console.print(Text.assemble((row["status"], "red"), f" {what}: {row['reason']}"), soft_wrap=True)
    absent = table[(table.status == "unavailable") & table.reason.str.contains("not installed")]
    for reason, rows in absent.groupby("reason"):
        names = sorted(set(rows.suite + "/" + rows.implementation))
        console.print(Text(f"unavailable: {', '.join(names)}: {reason}", style="dim"), soft_wrap=True)


def _show_claims(console: Console, results: list[ClaimResult]) -> None:
    if not results:
        return
    board = Table(title="claims", title_justify="left", title_style="bold", box=None, pad_edge=False)
    board.add_column("claim", no_wrap=True)
    board.add_column("verdict", no_wrap=True, min_width=_VERDICT_WIDTH)
    board.add_column("figure", justify="right", no_wrap=True, min_width=_FIGURE_WIDTH)
    board.add_column("statement", no_wrap=True)
    id_width = max(len(result.claim.id) for result in results)
    room = max(20, console.width - id_width - _VERDICT_WIDTH - _FIGURE_WIDTH - _PADDING)
    for result in results:
        telling = result.telling
        figure = ""
        if telling and telling.estimate and result.verdict != "not tested":
            figure = f"{telling.estimate.value:.3g}"
        verdict = f"[{_STYLE[result.verdict]}]{result.verdict}[/]"
        board.add_row(result.claim.id, verdict, figure, Text(shorten(result.claim.statement, room, placeholder=" …")))
    console.print(board)
    console.print()
