"""Runs on disk: ``<results>/<machine>/<run>/`` with ``environment.json`` and ``records.jsonl``."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.records import Record

ENVIRONMENT_FILE = "environment.json"
RECORDS_FILE = "records.jsonl"
PUBLISHED = "published"


class StoreError(Exception):
    """A run cannot be written, found or read; the message names the file and what to do."""


@dataclass(frozen=True)
class Run:
    """A run that was read back.

    :param warnings: what could not be read, by file and line.
    """

    path: Path
    environment: Mapping[str, Any]
    records: tuple[Record, ...]
    warnings: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self.path.name


class RunWriter:
    """Appends records to a run, each on the disk before the next trial starts."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._file = (path / RECORDS_FILE).open("a+", encoding="utf-8")
            self._end_torn_line()
        except OSError as error:
            raise StoreError(f"{path} cannot be written: {error.strerror}") from error

    @classmethod
    def create(cls, results: Path, machine: str, run: str, environment: Mapping[str, Any]) -> RunWriter:
        """Start a new run; a number is added to its name if it is taken.

        :raises StoreError: the folder cannot be written.
        """
        parent = results / slug(machine)
        for suffix in ("", *(f"-{number}" for number in range(2, 1000))):
            path = parent / (slug(run) + suffix)
            try:
                path.mkdir(parents=True)
            except FileExistsError:
                continue
            except OSError as error:
                raise StoreError(
                    f"results folder {path} cannot be made: {error.strerror}; name another with --results"
                ) from error
            write_json(path / ENVIRONMENT_FILE, environment)
            return cls(path)
        raise StoreError(f"{parent} already holds a thousand runs named {run}")

    def append(self, record: Record) -> None:
        try:
            self._file.write(json.dumps(record.to_json()) + "\n")
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            raise StoreError(
                f"{self.path / RECORDS_FILE}: {error.strerror}; all earlier records are kept, "
                f"continue with: bakeoff run --resume {self.path.name}"
            ) from error

    def close(self) -> None:
        self._file.close()

    def _end_torn_line(self) -> None:
        """A line that a killed run left half written must not swallow the next record."""
        size = self._file.seek(0, os.SEEK_END)
        if size:
            with (self.path / RECORDS_FILE).open("rb") as file:
                file.seek(-1, os.SEEK_END)
                if file.read(1) != b"\n":
                    self._file.write("\n")


def write_json(path: Path, data: Mapping[str, Any]) -> None:
    """Write ``data`` whole or not at all."""
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(data, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    partial.replace(path)


def load_run(path: Path) -> Run:
    """Read a run; lines that cannot be read become warnings that name file and line, the good ones still load.

    :raises StoreError: there is no run at ``path``, or its environment cannot be read.
    """
    environment_file = path / ENVIRONMENT_FILE
    try:
        environment = json.loads(environment_file.read_text(encoding="utf-8"))
    except OSError as error:
        raise StoreError(f"{path} holds no run: {environment_file.name}: {error.strerror}") from error
    except ValueError as error:
        raise StoreError(f"{environment_file} is not JSON: {error}") from error
    if not isinstance(environment, dict):
        raise StoreError(f"{environment_file} is not a JSON object")
    records: list[Record] = []
    warnings: list[str] = []
    for number, line in _lines(path / RECORDS_FILE):
        try:
            records.append(Record.from_json(json.loads(line)))
        except ValueError as error:
            warnings.append(f"{path / RECORDS_FILE}:{number}: {error}")
    return Run(path=path, environment=environment, records=tuple(records), warnings=tuple(warnings))


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    if not path.exists():
        return
    with path.open(encoding="utf-8", errors="replace") as file:
        for number, line in enumerate(file, start=1):
            if line.strip():
                yield number, line


def find_runs(results: Path) -> list[Path]:
    """All runs under ``results``, oldest first."""
    found = [file.parent for file in results.glob(f"**/{ENVIRONMENT_FILE}")]
    return sorted(found, key=lambda path: (path.name, str(path)))


def resolve_run(results: Path, run: str | None) -> Path:
    """The folder of a run given by name, by path, or (``None``) the newest that was made here.

    :raises StoreError: there is none; the message says which there are.
    """
    if run and (Path(run) / ENVIRONMENT_FILE).is_file():
        return Path(run)
    runs = find_runs(results)
    if run:
        matching = [path for path in runs if path.name == run]
        if len(matching) == 1:
            return matching[0]
        if matching:
            raise StoreError(f"{len(matching)} runs are named {run!r}; give the path of one: {_names(matching, True)}")
        raise StoreError(f"no run {run!r} under {results}; there are: {_names(runs, False)}")
    local = [path for path in runs if PUBLISHED not in path.relative_to(results).parts]
    if not (local or runs):
        raise StoreError(f"no run under {results} yet; make one with: bakeoff run")
    return (local or runs)[-1]


def _names(runs: list[Path], whole: bool) -> str:
    return ", ".join(str(path) if whole else path.name for path in runs[-5:]) or "none"


def slug(text: str) -> str:
    """``text`` as one safe path component."""
    return re.sub(r"[^a-z0-9._-]+", "-", text.lower()).strip("-.") or "unnamed"
