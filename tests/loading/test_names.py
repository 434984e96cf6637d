"""Names that a project, or a file named on the command line, brings along."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.contract import grid

from .building import ESCAPES

Bakeoff = Callable[..., "subprocess.CompletedProcess[str]"]
Add = Callable[..., Path]


@pytest.mark.parametrize("value", ["\x1b[2J", "a\nb", "\u202etxt", "\x00", "x" * 300])
def test_a_case_must_be_one_that_a_table_can_show(value: str) -> None:
    """A stored one would come back as its escapes, and so as another case."""
    with pytest.raises(ValueError, match="grid axis 'separator' has the value"):
        grid(separator=[",", value])


def test_a_file_whose_name_no_table_can_show_is_refused(bakeoff: Bakeoff, add_implementation: Add) -> None:
    file = add_implementation("plainly", "yield 0")
    evil = file.rename(file.with_name("evil\x1b]0;owned\x07\n.py"))
    done = bakeoff("list", "--impl", str(evil))
    assert done.returncode == 2
    assert "\x1b" not in done.stderr
    assert r"evil\x1b]0;owned\x07\n.py: the name of an implementation" in done.stderr


def test_a_docstring_is_shown_as_text(bakeoff: Bakeoff, add_implementation: Add) -> None:
    file = add_implementation("coloured", "yield x.sum() + 2\nyield x - x.mean()")
    file.write_text(file.read_text().replace("coloured.", f"red{ESCAPES[:6]}green"))
    done = bakeoff("list")
    assert done.returncode == 0, done.stderr
    assert "\x1b" not in done.stdout
    assert r"red\x1b[2J\x1b]green" in done.stdout
