"""Finding and opening what holds history: runs, asv's result files, pytest-benchmark's files."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from pathlib import Path

from harness.history.asv_files import BENCHMARKS_FILE, is_asv, read_asv, read_units
from harness.history.entries import History
from harness.history.moments import read_moment
from harness.history.pytest_benchmark_files import LARGEST_FILE_BYTES, is_pytest_benchmark, read_pytest_benchmark
from harness.history.runs import read_run
from harness.json_files import NotJson, read_document
from harness.loading import load_run
from harness.printable import printable
from harness.shapes import Misfit
from harness.store import ENVIRONMENT_FILE, StoreError

PYTEST_BENCHMARK_FOLDER = ".benchmarks"
"""Where pytest-benchmark keeps what it is asked to save, unless told otherwise."""

# They lie beside results and hold none.
_NO_RESULTS = (BENCHMARKS_FILE, "machine.json")
_MOST_COMMITS = 1000
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


class Unreadable(Exception):
    """A source holds no history; the message names the file and says what is wrong with it."""


class NoHistory(Unreadable):
    """A JSON file of something else."""


@dataclass(frozen=True)
class Found:
    """What was read from several sources, and what could not be."""

    histories: tuple[History, ...]
    problems: tuple[str, ...]


def read_sources(paths: Iterable[Path], root: Path) -> Found:
    """Everything that the files and folders hold; a bad file is told of, and the others still load.

    In folders JSON files of something else are passed over, and links to folders are not followed.
    """
    paths = tuple(paths)
    histories: list[History] = []
    problems: list[str] = []
    units = cache(read_units)
    for path in dict.fromkeys(file for place in paths for file in _files(place)):
        try:
            history = open_history(path, root, units(path.parent.parent))
        except Unreadable as error:
            if not isinstance(error, NoHistory) or path in paths:
                problems.append(str(error))
            continue
        problems += [f"{history.source}: {warning}" for warning in history.warnings]
        histories.append(history)
    return Found(tuple(histories), tuple(problems))


def open_history(path: Path, root: Path, units: dict[str, str] | None = None) -> History:
    """What a run's folder, a result file of asv or a file of pytest-benchmark holds.

    :param root: sources inside it are shown relative to it.
    :raises Unreadable: it is none of them, or cannot be read.
    """
    source = _shown(path, root)
    if path.is_dir():
        try:
            return read_run(load_run(path), source)
        except StoreError as error:
            raise Unreadable(str(error)) from error
    try:
        document = read_document(path, LARGEST_FILE_BYTES)
    except OSError as error:
        raise Unreadable(f"{source} cannot be read: {printable(error.strerror or str(error))}") from error
    except NotJson as error:
        raise Unreadable(f"{source} is not JSON that can be read: {printable(str(error))}") from error
    try:
        if is_asv(document):
            return read_asv(document, source, read_units(path.parent.parent) if units is None else units)
        if is_pytest_benchmark(document):
            return read_pytest_benchmark(document, source)
    except Misfit as misfit:
        raise Unreadable(f"{source}: {printable(str(misfit), 500)}") from misfit
    raise NoHistory(f"{source} is neither a result file of asv nor a file of pytest-benchmark")


def with_commit_dates(histories: Iterable[History], root: Path) -> tuple[History, ...]:
    """The histories, with the dates of their commits where a file does not say them and the repository knows them."""
    histories = tuple(histories)
    missing = {
        history.commit for history in histories if history.committed_at is None and _COMMIT.fullmatch(history.commit)
    }
    dates = _commit_dates(root, sorted(missing)[:_MOST_COMMITS])
    return tuple(
        replace(history, committed_at=dates[history.commit])
        if history.committed_at is None and history.commit in dates
        else history
        for history in histories
    )


def _files(path: Path) -> Iterator[Path]:
    """A file itself; of a folder all runs and all JSON files that may hold results."""
    if not path.is_dir() or _is_run(path):
        yield path
        return
    for folder, inner, names in os.walk(path):
        inner.sort()
        if _is_run(Path(folder)):
            yield Path(folder)
            inner.clear()
            continue
        yield from (Path(folder, name) for name in sorted(names) if name.endswith(".json") and name not in _NO_RESULTS)


def _is_run(folder: Path) -> bool:
    return (folder / ENVIRONMENT_FILE).is_file()


def _shown(path: Path, root: Path) -> str:
    absolute = Path(os.path.abspath(path))  # noqa: PTH100 - links stay, as a file is called what its user calls it
    return printable(str(absolute.relative_to(root) if absolute.is_relative_to(root) else path), 500)


def _commit_dates(root: Path, commits: list[str]) -> dict[str, datetime]:
    """Dates of those of the commits that the repository has."""
    if not commits:
        return {}
    command = ["git", "-C", str(root), "log", "--no-walk", "--ignore-missing", "--format=%H %cI", *commits]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False, errors="replace")
    except (OSError, subprocess.TimeoutExpired):
        return {}
    dates = {}
    for line in done.stdout.splitlines():
        commit, _, text = line.partition(" ")
        moment = read_moment(text)
        if moment is not None:
            dates[commit] = moment
    return dates
