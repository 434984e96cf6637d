"""A figure as the page shows it, with the data that it was drawn from."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from markupsafe import Markup

from harness.printable import spreadsheet_cell
from harness.statistics import Estimate

Cell = str | float | int
INTERVAL = ("low", "high")


@dataclass(frozen=True)
class Data:
    """What a figure shows, as rows under named columns; a unit is part of a column's name."""

    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]

    def to_json(self) -> str:
        """JSON with six digits, and ``null`` for a text that is that of the row above."""
        packed: list[list[Cell | None]] = []
        above: Sequence[Cell] = ()
        for row in self.rows:
            cells: list[Cell | None] = [
                None if isinstance(cell, str) and above and above[column] == cell else _short(cell)
                for column, cell in enumerate(row)
            ]
            packed.append(cells)
            above = row
        return json.dumps({"columns": list(self.columns), "rows": packed}, ensure_ascii=False, separators=(",", ":"))


@dataclass(frozen=True)
class Chart:
    """A figure with its title and the sentence beneath it."""

    id: str
    title: str
    caption: str
    svg: Markup
    data: Data = field(default_factory=lambda: Data((), ()))


def ends(estimate: Estimate) -> tuple[Cell, Cell]:
    """Both ends of an interval for a row; empty where there is none."""
    return (estimate.low, estimate.high) if estimate.has_interval else ("", "")


def table(columns: Iterable[str], rows: Iterable[Sequence[Cell]]) -> Data:
    return Data(tuple(columns), tuple(tuple(row) for row in rows))


def _short(cell: Cell) -> Cell:
    if isinstance(cell, str):
        return spreadsheet_cell(cell)
    if isinstance(cell, int):
        return cell
    if not math.isfinite(cell):
        return ""
    short = float(f"{cell:.6g}")
    return int(short) if short.is_integer() and abs(short) < 1e15 else short
