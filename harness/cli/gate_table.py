"""The findings of a gate on a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from harness.gate import wording
from harness.gate.results import Compared, Findings
from harness.printable import printable

_STYLE: Mapping[str, str] = {"slower": "red", "faster": "green", "undecided": "yellow", "same": "dim"}
_MOST_SAME = 20


def show_findings(findings: Findings) -> None:
    """The verdict, the table, and what else there is to know."""
    console = Console(emoji=False, highlight=False)

    def say(text: str, style: str = "") -> None:
        console.print(Text(printable(text), style=style), soft_wrap=True)

    say(f"base: {findings.base}")
    say(f"head: {findings.head}")
    say(wording.headline(findings), f"bold {_STYLE[findings.verdict]}")
    if findings.compared:
        _show_table(console, wording.sorted_rows(findings.compared))
    for title, faults in (("broken", findings.broken), ("not measured", findings.hindered)):
        for fault in faults:
            say(f"{title}: {fault.name} {fault.case}: {fault.status}: {fault.reason}", "red")
    for text in wording.remarks(findings):
        say(text)
    for name, why in findings.chosen.items():
        say(f"measured {'/'.join(name)}: {why}", "dim")
    if findings.skipped:
        say(wording.skipped(findings), "dim")
    for one in findings.noise:
        say(f"noise here, {wording.noise(one)}", "dim")


def _show_table(console: Console, rows: Sequence[Compared]) -> None:
    same = [row for row in rows if row.verdict == "same"]
    shown = [row for row in rows if row.verdict != "same"] + same[:_MOST_SAME]
    table = Table(box=None, pad_edge=False)
    for heading, side in (("verdict", "left"), ("change", "right"), ("interval", "right"), ("of", "left")):
        table.add_column(heading, justify=side, no_wrap=True)  # type: ignore[arg-type]
    table.add_column("what", overflow="fold")
    for row in shown:
        table.add_row(
            Text(wording.verdict_word(row), style="" if row.accepted else _STYLE[row.verdict]),
            wording.change(row.ratio.value),
            wording.interval(row.ratio),
            row.instrument,
            Text(printable(f"{row.name} {row.workload}")),
        )
    console.print(table)
    if len(same) > _MOST_SAME:
        console.print(f"[dim]{len(same) - _MOST_SAME} more are the same[/dim]")
