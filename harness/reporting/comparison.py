"""Two sides compared as a page and as Markdown."""

from __future__ import annotations

import re
from pathlib import Path

import harness
from harness.printable import printable
from harness.reporting.changes import Changes
from harness.reporting.rendering import render, write_whole

_MOST_ROWS = 200
_MARKUP = re.compile(r"[^\w .,;=()+/%'×–µ\u00a0-]|_")


def write_comparison_page(changes: Changes, path: Path) -> Path:
    """Write the page to ``path``; an earlier one is replaced whole or not at all."""
    return write_whole(path, render_comparison(changes))


def render_comparison(changes: Changes) -> str:
    return render("comparison.html.jinja", changes=changes, version=f"bakeoff {harness.__version__}")


def comparison_markdown(changes: Changes) -> str:
    """The comparison as Markdown: the verdict, what moved, the claims that differ, and the rest counted.

    Names are shown as code, in which no renderer takes anything for markup.
    """
    counts = ", ".join(f"{count} {verdict}" for verdict, count in changes.counts if count)
    moved = [row for row in changes.rows if row.verdict in ("slower", "faster")]
    lines = [f"# {_code(changes.head.name)} over {_code(changes.base.name)}: {changes.verdict}", "", f"{counts}.", ""]
    if changes.across_machines:
        lines += [
            f"Two machines, {_plain(changes.base.machine)} and {_plain(changes.head.machine)}: the ratios say nothing "
            "of the code.",
            "",
        ]
    if moved:
        lines += ["| verdict | ratio | interval | what | workload | base | head |", "|---|---:|---|---|---|---:|---:|"]
        for row in moved[:_MOST_ROWS]:
            workload = f"{_code(row.workload)} {_plain(row.instrument)}"
            cells = [row.verdict, row.ratio, row.interval, _code(row.name), workload, row.base, row.head]
            lines.append(f"| {' | '.join(cells)} |")
        if len(moved) > _MOST_ROWS:
            lines.append(f"\n{len(moved) - _MOST_ROWS} more moved.")
        lines.append("")
    if differing := [pair for pair in changes.claims if pair.differs]:
        lines += ["| claim | statement | base | head |", "|---|---|---|---|"]
        for pair in differing:
            sides = (f"{verdict}: {value}" for verdict, value in
                     ((pair.base_verdict, pair.base), (pair.head_verdict, pair.head)))  # fmt: skip
            lines.append(f"| {_code(pair.id)} | {_plain(pair.statement)} | {' | '.join(map(_plain, sides))} |")
        lines.append("")
    lines += [f"- {_plain(reason)}" for reason in changes.left_out]
    lines += [f"- {count} of {len(changes.comparisons)}: {_plain(caution)}" for caution, count in changes.cautions]
    return "\n".join(lines).rstrip() + f"\n\nAgain: {_code(changes.command)}\n"


def _code(words: str) -> str:
    return f"<code>{_plain(words)}</code>"


def _plain(words: str) -> str:
    return _MARKUP.sub(lambda found: f"&#{ord(found[0])};", printable(words))
