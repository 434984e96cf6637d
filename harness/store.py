"""Runs on disk: ``<results>/<machine>/<run>/`` with ``environment.json`` and ``records.jsonl``."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.naming import slug
from harness.records import Record

ENVIRONMENT_FILE = "environment.json"
RECORDS_FILE = "records.jsonl"
PUBLISHED = "published"


class StoreError(Exception):
    """A run cannot be written, found or read; the message names the file and what to do."""


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
