"""Runs on disk: ``<results>/<machine>/<run>/`` with ``environment.json`` and ``records.jsonl``."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import secrets
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from harness.naming import slug
from harness.records import Record

ENVIRONMENT_FILE = "environment.json"
RECORDS_FILE = "records.jsonl"
PUBLISHED = "published"
_BACKWARDS = 2**16


class StoreError(Exception):
    """A run cannot be written, found or read; the message names the file and what to do."""


class RunWriter:
    """Appends records to a run, each batch on the disk before the next trial starts.

    Only one writer at a time has a run. A batch that cannot be written whole is taken back.
    """

    def __init__(self, path: Path, environment: Mapping[str, Any]) -> None:
        self.path = path
        self._environment = environment
        self._file = self._open()
        self._drop_torn_line()

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
            try:
                write_json(path / ENVIRONMENT_FILE, environment)
            except OSError as error:
                raise StoreError(f"{path / ENVIRONMENT_FILE} cannot be written: {error.strerror}") from error
            return cls(path, environment)
        raise StoreError(f"{parent} already holds a thousand runs named {run}")

    @property
    def environment(self) -> Mapping[str, Any]:
        return self._environment

    def append(self, records: Sequence[Record]) -> None:
        """Store records that belong together: either all of them are there afterwards, or none.

        :raises StoreError: they cannot be written; what was stored before is untouched.
        """
        batch = secrets.token_hex(4) if len(records) > 1 else ""
        marked = [replace(record, batch=batch, batch_size=len(records)) for record in records]
        text = "".join(json.dumps(record.to_json()) + "\n" for record in marked)
        size = os.fstat(self._file).st_size
        try:
            self._write(text.encode())
            if not self._is_in_place():
                self._put_back()
        except OSError as error:
            with suppress(OSError):
                os.ftruncate(self._file, size)
            raise StoreError(
                f"{self.path / RECORDS_FILE}: {error.strerror}; all earlier records are kept, "
                f"continue with: bakeoff run --resume {self.path.name}"
            ) from error

    def start_over_from(self, kept: Sequence[Record]) -> None:
        """Have the file hold ``kept`` alone; what it held until now stays beside it as ``superseded-N.jsonl``.

        :raises StoreError: the folder cannot be written; the file is then as it was.
        """
        file, partial = self.path / RECORDS_FILE, self.path / "records.partial"
        try:
            lines = "".join(json.dumps(record.to_json()) + "\n" for record in kept)
            _write_whole(partial, lines)
            number = 1 + len(list(self.path.glob("superseded-*.jsonl")))
            os.link(file, self.path / f"superseded-{number}.jsonl")
            partial.replace(file)
        except OSError as error:
            raise StoreError(f"{self.path} cannot be written: {error.strerror}") from error
        os.close(self._file)
        self._file = self._open()

    def describe(self, environment: Mapping[str, Any]) -> None:
        """Replace what is said of the run's circumstances."""
        self._environment = environment
        try:
            write_json(self.path / ENVIRONMENT_FILE, environment)
        except OSError as error:
            raise StoreError(f"{self.path / ENVIRONMENT_FILE} cannot be written: {error.strerror}") from error

    def close(self) -> None:
        with suppress(OSError):
            os.close(self._file)

    def _open(self) -> int:
        try:
            file = os.open(self.path / RECORDS_FILE, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o666)
        except OSError as error:
            raise StoreError(f"{self.path} cannot be written: {error.strerror}") from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(file)
            raise StoreError(f"{self.path} is being written by another bakeoff; wait for it, or end it") from error
        except OSError:  # a file system without locks
            pass
        return file

    def _write(self, data: bytes) -> None:
        while data:
            data = data[os.write(self._file, data) :]
        os.fsync(self._file)

    def _is_in_place(self) -> bool:
        try:
            found = (self.path / RECORDS_FILE).stat()
        except FileNotFoundError:
            return False
        own = os.fstat(self._file)
        return (found.st_dev, found.st_ino) == (own.st_dev, own.st_ino)

    def _put_back(self) -> None:
        """The folder was removed in the middle; its content is still there as long as the file is open."""
        if (self.path / RECORDS_FILE).exists():
            raise FileExistsError(errno.EEXIST, "another file was put in its place")
        content = os.pread(self._file, os.fstat(self._file).st_size, 0)
        self.path.mkdir(parents=True, exist_ok=True)
        write_json(self.path / ENVIRONMENT_FILE, self._environment)
        abandoned, self._file = self._file, self._open()
        os.close(abandoned)
        self._write(content)

    def _drop_torn_line(self) -> None:
        """What a killed run left half written is no record and must not swallow the next one."""
        size = os.fstat(self._file).st_size
        end = size
        while end and os.pread(self._file, 1, end - 1) != b"\n":
            start = max(0, end - _BACKWARDS)
            end = start + os.pread(self._file, end - start, start).rfind(b"\n") + 1
        if end < size:
            os.ftruncate(self._file, end)


def write_json(path: Path, data: Mapping[str, Any]) -> None:
    """Write ``data`` whole or not at all."""
    partial = path.with_suffix(".partial")
    _write_whole(partial, json.dumps(data, indent=1, sort_keys=True) + "\n")
    partial.replace(path)


def _write_whole(path: Path, text: str) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
