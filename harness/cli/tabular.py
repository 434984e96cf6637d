"""Tables as text for other programs."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING

from harness.printable import spreadsheet_cell

if TYPE_CHECKING:
    import pandas as pd


def as_csv(table: pd.DataFrame) -> str:
    """The table with no text that a spreadsheet would run as a formula."""
    texts = table.select_dtypes(exclude="number")
    defused = table.assign(
        **{
            str(name): [spreadsheet_cell(cell) if isinstance(cell, str) else cell for cell in column]
            for name, column in texts.items()
        }
    )
    return defused.to_csv(index=False)


def as_json(table: pd.DataFrame) -> str:
    """A list of rows; what JSON has no number for is null."""
    rows = [
        {key: None if isinstance(value, float) and not math.isfinite(value) else value for key, value in row.items()}
        for row in table.to_dict(orient="records")
    ]
    return json.dumps(rows, ensure_ascii=False, indent=1) + "\n"
