"""``bakeoff history``: figures of many commits, by this program, asv and pytest-benchmark, in one table."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.cli.outcome import ExitCode, Failure, choose
from harness.cli.selecting import open_project
from harness.cli.tabular import as_csv, as_json
from harness.printable import printable

if TYPE_CHECKING:
    import pandas as pd

_MOST_WARNINGS = 20


def show_history(
    project: Path, results: Path | None, selection: Sequence[str], sources: Sequence[Path], form: str
) -> None:
    """The project's own results first, then what ``sources`` name; a source that cannot be read is told of.

    :raises Failure: a source does not exist, nothing is selected, or nothing could be read.
    """
    choose("--format", form, ("text", "csv", "json"))
    opened = open_project(project)
    from harness.history.sources import PYTEST_BENCHMARK_FOLDER, read_sources, with_commit_dates
    from harness.history.table import NothingSelected, history_table, select

    for source in sources:
        if not source.exists():
            raise Failure(f"--from {printable(str(source))}: there is no such file or folder")
    own = [folder for folder in (results or opened.results, opened.root / PYTEST_BENCHMARK_FOLDER) if folder.is_dir()]
    found = read_sources([*own, *sources], opened.root)
    warn(found.problems)
    if not any(history.entries for history in found.histories):
        places = ", ".join(printable(str(place)) for place in [*own, *sources]) or printable(str(opened.results))
        raise Failure(
            f"no history in {places}; make some with bakeoff run, asv or pytest --benchmark-autosave, or name files "
            "with --from",
            ExitCode.UNFINISHED,
        )
    try:
        histories = select(with_commit_dates(found.histories, opened.root), selection)
    except NothingSelected as error:
        raise Failure(printable(str(error))) from error
    table = history_table(histories)
    sys.stdout.write({"csv": as_csv, "json": as_json, "text": _as_text}[form](table))


def warn(problems: Iterable[str]) -> None:
    """Say on stderr what could not be read."""
    problems = list(problems)
    for problem in problems[:_MOST_WARNINGS]:
        print(f"bakeoff: warning: {problem}", file=sys.stderr)
    if len(problems) > _MOST_WARNINGS:
        print(f"bakeoff: warning: {len(problems) - _MOST_WARNINGS} more", file=sys.stderr)


def _as_text(table: pd.DataFrame) -> str:
    """A line per figure; what could not be measured says why, what was not there to measure is counted."""
    from harness.figures import format_quantity, tells_nothing

    shown = table[table.status != "unavailable"]
    lines: list[tuple[str, ...]] = []
    row: Any
    for row in shown.itertuples():
        name = "/".join(filter(None, (row.suite, row.implementation)))
        modified = "+" if row.modified else ""
        if row.status == "ok":
            low, high = (format_quantity(end, row.unit) for end in (row.low, row.high))
            known = low and high and not tells_nothing(row.low, row.high)
            figure = f"{format_quantity(row.value, row.unit)} ({f'{low} to {high}' if known else 'no interval'})"
        else:
            figure = f"{row.status}: {row.reason}"
        dtype = f" {row.dtype}" if row.dtype else ""
        lines.append(
            (f"{row.commit[:10] or 'unknown'}{modified}", row.date[:10] or "unknown", row.machine,
             f"{name} {row.case}{dtype}".strip(), row.instrument, figure, row.source)
        )  # fmt: skip
    widths = [max((len(line[column]) for line in lines), default=0) for column in range(6)]
    text = "".join(
        "  ".join([*(cell.ljust(width) for cell, width in zip(line, widths, strict=False)), line[-1]]) + "\n"
        for line in lines
    )
    left = len(table) - len(shown)
    return text + (f"{left} more that were skipped or cannot run there\n" if left else "")
