"""Coverage-guided fuzzing of the reading of records: ``python -m tests.torture.fuzz_records --seconds 600``.

Files are made by mutating good ones, byte by byte and part by part; a mutant that reaches code or a sequence of lines
that none before it reached is kept and mutated further. What is looked for is anything but records and warnings: an
exception, a warning without its place, a text that is not printable, a record that cannot be written and read again,
or a damaged line that costs its neighbours. The coverage comes from :func:`sys.settrace`, so that it needs no package;
``tests.torture.fuzz_atheris`` does the same under libFuzzer. One JSON line is printed: executions, positions of code
reached, what failed.
"""

from __future__ import annotations

import argparse
import copy
import io
import json
import math
import random
import re
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

from harness import json_files, loading, printable, records, shapes
from harness.environment_format import ENVIRONMENT
from harness.loading import read_records
from harness.printable import is_printable
from harness.records import Record

FIXTURES = Path(__file__).parents[1] / "fixtures"
WATCHED = {module.__file__ for module in (json_files, loading, printable, records, shapes)}
LONGEST_INPUT_BYTES = 20_000
LARGEST_CORPUS = 2000
MOST_FAILURES = 20
MOST_PARTS = 500
TOKENS = (
    b"{", b"}", b"[", b"]", b'"', b":", b",", b"\\", b"\n", b"\r\n", b"\x00", b"\xff", b"\xef\xbb\xbf", b"\\ud800",
    b"\\u0000", b"\\u001b[2J", b"\\u202e", b"NaN", b"Infinity", b"-Infinity", b"1e999", b"-0.0", b"null", b"true", b"0",
    b"-1", b"1.0", b"9" * 30, b"9" * 5000, b"[" * 3000, b'"a":' * 20, b'{"a":' * 3000, b'"format"', b'"samples"',
    b'"duration_ns"', b'"value"', b'"energy_j"', b'"instrument"', b'"probe"', b'"nan"', b'"inf"', b'"case"', b"{}",
)  # fmt: skip
VALUES: tuple[Any, ...] = (
    None, True, 0, -1, 1, 2**63, 10**400, 0.5, -0.5, 1e308, float("nan"), float("inf"), "", "x", "inf", "nan",
    "\x1b[2J", "\ud800", "\u202e", "=1+1", "x" * 300, "x" * 3000, [], {}, [[]], {"": {}}, [1, "a", None],
    {"a": 1}, {"\x00": 1.5},     "time", "memory", "energy", "probe", "wrong", "trend", 3,
)  # fmt: skip

Position = tuple[object, ...]


def seeds() -> list[bytes]:
    """Good lines of every format and instrument, with few samples each."""
    found = []
    for file in sorted(FIXTURES.glob("format_*/run/records.jsonl")):
        for text in file.read_bytes().splitlines():
            data = json.loads(text)
            data["samples"] = data["samples"][:2]
            found.append(json.dumps(data).encode())
    return found


def neighbours() -> tuple[bytes, bytes]:
    """Two good lines, between which the mutant stands."""
    data = json.loads(seeds()[0])
    first, last = (json.dumps(data | {"suite": "neighbour", "round": number}).encode() for number in (1, 2))
    return first, last


BEFORE, AFTER = neighbours()


def examine(text: bytes) -> None:
    """Read ``text`` between two good lines, and as an environment.

    :raises AssertionError: the outcome is neither records nor warnings as promised.
    """
    found, warnings = read_records(io.BytesIO(b"\n".join((BEFORE, text, AFTER))))
    rounds = [record.trial.round for record in found if record.trial.suite == "neighbour"]
    assert found[0].trial.suite == "neighbour", "the line before is lost"
    assert rounds[-1] == 2 or any("same trial" in warning for warning in warnings), "the line after is lost"
    lines = [line for line in text.split(b"\n") if line.strip()]
    more = re.fullmatch(r"records\.jsonl: (\d+) more lines could not be read", warnings[-1]) if warnings else None
    unread = len(warnings) - 1 + int(more[1]) if more else len(warnings)
    assert len(found) - 2 + unread == len(lines), "a line is neither a record nor a warning"
    for warning in warnings:
        assert is_printable(warning), "a warning is not printable"
        assert warning.startswith("records.jsonl:"), "a warning without its place"
    for record in found:
        written = json.dumps(record.to_json())
        assert is_printable(json.dumps(json.loads(written), ensure_ascii=False), sys.maxsize), "a text is not printable"
        assert Record.from_json(json.loads(written)).to_json() == json.loads(written) or "NaN" in written
    try:
        data = json_files.parse(text)
    except json_files.NotJson:
        return
    if isinstance(data, dict):
        _, misfits = ENVIRONMENT.salvage(ENVIRONMENT.salvage(data)[0])
        assert misfits == [], "what was salvaged does not fit"


def positions(run: Callable[[], None]) -> set[Position]:
    """The pairs of lines that follow each other in the watched files while ``run`` runs."""
    reached: set[Position] = set()

    def watch(frame: FrameType, event: str, _: object) -> Any:
        if frame.f_code.co_filename not in WATCHED:
            return None
        name, last = frame.f_code.co_qualname, 0

        def line(frame: FrameType, event: str, _: object) -> Any:
            nonlocal last
            reached.add((name, last, frame.f_lineno, event == "exception"))
            last = frame.f_lineno
            return line

        return line

    before = sys.gettrace()
    sys.settrace(watch)
    try:
        run()
    finally:
        sys.settrace(before)
    return reached


def mutants(rng: random.Random, corpus: list[bytes]) -> Iterator[bytes]:
    while True:
        yield mutant(rng, rng.choice(corpus[-50:] if rng.random() < 0.5 else corpus), corpus)


def mutant(rng: random.Random, parent: bytes, corpus: list[bytes]) -> bytes:
    """``parent`` with some bytes changed, or some parts of what it says."""
    child = _parts(rng, parent, corpus) if rng.random() < 0.5 else _bytes(rng, parent, corpus)
    return child[:LONGEST_INPUT_BYTES]


def _bytes(rng: random.Random, text: bytes, corpus: list[bytes]) -> bytes:
    for _ in range(rng.choice((1, 1, 2, 4, 8))):
        begin = rng.randrange(len(text) + 1)
        end = min(len(text), begin + rng.choice((0, 1, 1, 4, 30, 300)))
        other = rng.choice(corpus)
        place = rng.randrange(len(other) + 1)
        replacement = rng.choice(
            (b"", bytes([rng.randrange(256)]), rng.choice(TOKENS), text[begin:end] * 2, other[place : place + 40])
        )
        text = text[:begin] + replacement + text[end:]
    return text


def _parts(rng: random.Random, text: bytes, corpus: list[bytes]) -> bytes:
    """The JSON value with some of its parts replaced, removed, renamed or moved."""
    try:
        data = json.loads(text)
        if len(list(_owners(data))) > MOST_PARTS:
            return _bytes(rng, text, corpus)
    except (ValueError, RecursionError):  # no JSON, or too deep to walk
        return _bytes(rng, text, corpus)
    for _ in range(rng.choice((1, 1, 2, 3))):
        owners = list(_owners(data))
        if not owners:
            return rng.choice(TOKENS)
        owner = owners[0] if rng.random() < 0.4 else rng.choice(owners)
        key = rng.choice(list(owner) if isinstance(owner, dict) else range(len(owner)))
        action = rng.random()
        if action < 0.6:
            owner[key] = copy.deepcopy(rng.choice(VALUES))
        elif action < 0.8 or not isinstance(owner, dict):
            del owner[key]
        else:
            owner[rng.choice(("", "\x1b", "\ud800", "x" * 300, "new", str(key)))] = owner.pop(key)
    return json.dumps(data).encode()


def _owners(value: Any) -> Iterator[Any]:
    if isinstance(value, dict | list) and value:
        yield value
        for part in value.values() if isinstance(value, dict) else value:
            yield from _owners(part)


def failure_of(text: bytes) -> str:
    """How reading ``text`` fails; empty where it does not."""
    try:
        examine(text)
    except Exception as error:
        frame = traceback.extract_tb(error.__traceback__)[-1]
        return f"{type(error).__name__}: {error} ({Path(frame.filename).name}:{frame.lineno})"
    return ""


def own_loop(
    seconds: float, seed: int, fails: Callable[[bytes], str] = failure_of, most: float = math.inf
) -> dict[str, Any]:
    """Mutate, keep what reaches new positions, until the time is over or ``most`` mutants were tried.

    :param fails: says what is wrong with how a text was read, nothing where it was right.
    """
    rng = random.Random(seed)
    corpus: list[bytes] = []
    reached: set[Position] = set()
    failures: dict[str, str] = {}
    executions = 0
    end = time.monotonic() + seconds

    def take(text: bytes) -> None:
        nonlocal executions
        executions += 1
        failed: list[str] = []
        new = positions(lambda: failed.append(fails(text))) - reached
        if failed[0] and len(failures) < MOST_FAILURES:
            failures.setdefault(failed[0], repr(text[:300]))
        if new and len(corpus) < LARGEST_CORPUS:
            reached.update(new)
            corpus.append(text)

    for text in seeds():
        take(text)
    for text in mutants(rng, corpus):
        if time.monotonic() >= end or executions >= most:
            break
        take(text)
    return {
        "executions": executions,
        "positions": len(reached),
        "corpus": len(corpus),
        "failures": failures,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="Fuzz the reading of records")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    outcome = own_loop(arguments.seconds, arguments.seed)
    print(json.dumps({"target": "reading records", "seconds": arguments.seconds, "seed": arguments.seed} | outcome))
    if outcome["failures"]:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
