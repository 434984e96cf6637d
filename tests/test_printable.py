"""Text made harmless, and names that stay in their folder."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.naming import LONGEST_SLUG, slug
from harness.printable import is_printable, printable, spreadsheet_cell

any_text = st.text(st.characters(exclude_categories=()))  # halves of surrogate pairs included


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("seq_len=256 causal=False", "seq_len=256 causal=False"),
        ("中文 naïve — “µs” 😀", "中文 naïve — “µs” 😀"),
        ("no\u00a0break", "no\u00a0break"),
        ("\x1b[31mred", r"\x1b[31mred"),
        ("\x9b2J", r"\x9b2J"),
        ("a\r\nb\tc\x00", r"a\r\nb\tc\x00"),
        ("exe\u202etxt\u2066\u200f", r"exe\u202etxt\u2066\u200f"),
        ("zero\u200bwidth\ufeff", r"zero\u200bwidth\ufeff"),
        ("line\u2028paragraph\u2029", r"line\u2028paragraph\u2029"),
        ("half\ud800", r"half\ud800"),
        ("", ""),
    ],
)
def test_what_a_terminal_obeys_becomes_visible(text: str, shown: str) -> None:
    assert printable(text) == shown


@given(any_text, st.integers(1, 30))
def test_printable_text_is_one_harmless_line(text: str, most: int) -> None:
    shown = printable(text, most)
    assert len(shown) <= most
    assert len(shown.splitlines()) <= 1
    assert {unicodedata.category(character) for character in shown}.isdisjoint({"Cc", "Cf", "Cs", "Zl", "Zp"})
    shown.encode("utf-8")
    assert printable(shown, most) == shown
    assert is_printable(shown, most)


def test_long_text_says_that_it_was_cut() -> None:
    assert printable("x" * 10, 4) == "xxx…"
    assert printable("x" * 4, 4) == "xxxx"


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@A1", " =1", "\t=1", "＝1", "\n-1"])
def test_a_formula_becomes_text(text: str) -> None:
    assert spreadsheet_cell(text) == f"'{text}"


@pytest.mark.parametrize("text", ["n=1", "a-b", "", "'=1", "(1)", "naive"])
def test_other_text_stays(text: str) -> None:
    assert spreadsheet_cell(text) == text


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("AMD EPYC (2x)", "amd-epyc-2x"),
        ("20261122t034141-quick", "20261122t034141-quick"),
        ("../../x", "x"),
        ("/etc/passwd", "etc-passwd"),
        ("C:\\Windows\\x", "c-windows-x"),
        ("a/../../b", "a-..-..-b"),
        ("", "unnamed"),
        ("...", "unnamed"),
        ("\x00\x1b\n", "unnamed"),
        ("中文", "unnamed"),
        ("CON", "_con"),
        ("nul.json", "_nul.json"),
        ("COM7", "_com7"),
        ("console", "console"),
        ("published", "_published"),
        ("-rf", "rf"),
        ("~root", "root"),
        (".hidden", "hidden"),
    ],
)
def test_a_slug_is_what_one_expects(text: str, name: str) -> None:
    assert slug(text) == name


@given(any_text)
def test_a_slug_is_one_safe_path_component(text: str) -> None:
    safe = slug(text)
    assert 0 < len(safe) <= LONGEST_SLUG
    assert set(safe) <= set("abcdefghijklmnopqrstuvwxyz0123456789._-")
    assert safe[0] not in ".-"
    folder = Path("/results/machine")
    assert (folder / safe).resolve().parent == folder
    assert slug(safe) == safe


def test_long_names_stay_apart() -> None:
    one, other = slug("x" * 5000 + "1"), slug("x" * 5000 + "2")
    assert one != other
    assert len(one) == len(other) == LONGEST_SLUG
