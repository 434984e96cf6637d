"""Text from elsewhere made harmless, wherever it is shown afterwards.

Names and messages come out of contestants and out of files. A terminal obeys escape sequences, a browser the marks that
turn the direction of writing, a spreadsheet formulas. So text is made harmless once, where it enters: when a record is
made and when a file is read.
"""

from __future__ import annotations

import re
import unicodedata

LONGEST_NAME = 250
LONGEST_TEXT = 2000

# What spreadsheets take for the start of a formula, with the wide forms that some of them take for the same
# (OWASP, CSV Injection).
_FORMULA = re.compile(r"^\s*[=+\-@＝＋－＠]")


def printable(text: str, most: int = LONGEST_TEXT) -> str:
    """``text`` in one line of at most ``most`` characters that any terminal and page can show.

    Control characters, marks of direction and of no width, line ends, halves of surrogate pairs and characters that
    Unicode has not assigned are shown by their Python escapes (``\\x1b``, ``\\n``, ``\\u202e``). What is harmless comes
    back as it is, so that the function changes nothing when it is applied again.
    """
    if not text.isprintable():
        text = "".join(map(_shown, text[: most + 1]))
    return text if len(text) <= most else f"{text[: most - 1]}…"


def is_printable(text: str, most: int = LONGEST_TEXT) -> bool:
    """Whether :func:`printable` would leave ``text`` as it is."""
    return printable(text, most) == text


def spreadsheet_cell(text: str) -> str:
    """``text`` for a cell of a CSV file; one that would be taken for a formula gets an apostrophe in front."""
    return f"'{text}" if _FORMULA.match(text) else text


def _shown(character: str) -> str:
    if character.isprintable() or unicodedata.category(character) == "Zs":
        return character
    return character.encode("unicode_escape").decode("ascii")
