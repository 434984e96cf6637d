"""Runs read back from disk, whoever wrote them: what is good loads, what is not becomes a warning with its place."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO

from harness.environment_format import ENVIRONMENT, ENVIRONMENT_FORMAT
from harness.json_files import LARGEST_LINE_BYTES, NotJson, open_regular, parse, read_document, read_lines
from harness.printable import printable
from harness.records import Record
from harness.store import ENVIRONMENT_FILE, PUBLISHED, RECORDS_FILE, StoreError

MOST_WARNINGS = 100
_TIME, _TIME_SHAPE = "%Y%m%dt%H%M%S", "20260131t235959"


@dataclass(frozen=True)
class Run:
    """A run that was read back.

    :param warnings: what could not be read, by file and line in the run's folder.
    """

    path: Path
    environment: Mapping[str, Any]
    records: tuple[Record, ...]
    warnings: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return printable(self.path.name)


def load_run(path: Path) -> Run:
    """Read a run; what does not fit the format becomes a warning that names file and line, the rest still loads.

    :raises StoreError: there is no run at ``path``, its environment is none, or one of its files cannot be read.
    """
    path = _absolute(path)
    environment, misfits = _read_environment(path / ENVIRONMENT_FILE)
    file = path / RECORDS_FILE
    try:
        with open_regular(file) as lines:
            records, warnings = read_records(lines)
    except FileNotFoundError:  # the run was ended before its first record
        records, warnings = (), ()
    except OSError as error:
        raise StoreError(printable(f"{file} cannot be read: {error.strerror}")) from error
    return Run(path=path, environment=environment, records=records, warnings=(*misfits, *warnings))


def resumable(run: Run) -> Run:
    """``run``, if its environment says all that is needed to go on with it.

    :raises StoreError: it does not; going on would write over what could not be read.
    """
    damage = [warning for warning in run.warnings if warning.startswith(f"{ENVIRONMENT_FILE}:")]
    damage += [f"{ENVIRONMENT_FILE}: {key} is missing" for key in ("profile", "seed") if key not in run.environment]
    if damage:
        raise StoreError(f"{printable(str(run.path))} cannot be resumed: {damage[0]}; mend the file or start a new run")
    return run


def read_records(file: BinaryIO) -> tuple[tuple[Record, ...], tuple[str, ...]]:
    """The records in ``file``, one a line, and a warning for each line that is none or repeats a trial."""
    records: list[Record] = []
    warnings: list[str] = []
    seen: dict[str, int] = {}
    unread = 0
    for number, line in read_lines(file):
        try:
            record = _record(line)
            first = seen.setdefault(record.trial.key, number)
            if first != number:
                raise ValueError(f"the same trial as in line {first}, which counts")
            records.append(record)
        except ValueError as error:
            unread += 1
            if unread <= MOST_WARNINGS:
                warnings.append(f"{RECORDS_FILE}:{number}: {printable(str(error), 500)}")
    if unread > MOST_WARNINGS:
        warnings.append(f"{RECORDS_FILE}: {unread - MOST_WARNINGS} more lines could not be read")
    return tuple(records), tuple(warnings)


def _record(line: bytes | None) -> Record:
    if line is None:
        raise ValueError(f"the line is longer than {LARGEST_LINE_BYTES // 2**20} MiB, which no record is")
    try:
        data = parse(line)
    except NotJson as error:
        if not line.endswith(b"\n"):
            raise ValueError(f"the line is cut off, as by a run that was killed while writing ({error})") from error
        raise
    return Record.from_json(data)


def _read_environment(file: Path) -> tuple[Mapping[str, Any], list[str]]:
    """The parts of an environment that fit, and a warning for each that does not."""
    try:
        data = read_document(file)
    except OSError as error:
        what = f"{file.parent} holds no run: {file.name}: {error.strerror}"
        raise StoreError(printable(what)) from error
    except NotJson as error:
        raise StoreError(printable(f"{file} is not JSON that can be read: {error}")) from error
    if not isinstance(data, dict):
        raise StoreError(printable(f"{file} is not a JSON object, so it describes no run"))
    version = data.get("format")
    if isinstance(version, int) and version > ENVIRONMENT_FORMAT:
        raise StoreError(
            printable(
                f"{file} has format {version if version < 10**6 else 'of many digits'}, which is newer than this "
                f"program reads ({ENVIRONMENT_FORMAT}); update bakeoff"
            )
        )
    environment, misfits = ENVIRONMENT.salvage(data)
    warnings = [f"{file.name}: {printable(str(misfit), 500)}; left out" for misfit in misfits[:MOST_WARNINGS]]
    return environment, warnings


def find_runs(results: Path) -> list[Path]:
    """All runs under ``results``, oldest first; links to folders are not followed."""
    found = [
        Path(folder)
        for folder, _, files in os.walk(results)
        if ENVIRONMENT_FILE in files and _is_file(Path(folder, ENVIRONMENT_FILE))
    ]
    return sorted(found, key=lambda path: (path.name, str(path)))


def resolve_run(results: Path, run: str | None) -> Path:
    """The folder of a run given by name, by path, or (``None``) the newest that was made here.

    :raises StoreError: there is none; the message says which there are.
    """
    if run and _looks_like_run(Path(run)):
        return _absolute(Path(run))
    runs = find_runs(results)
    if run:
        matching = [path for path in runs if path.name == run]
        if len(matching) == 1:
            return matching[0]
        if matching:
            names = _names(matching, True)
            raise StoreError(f"{len(matching)} runs are named {printable(run)!r}; give the path of one: {names}")
        raise StoreError(f"no run {printable(run)!r} under {printable(str(results))}; there are: {_names(runs, False)}")
    local = [path for path in runs if PUBLISHED not in path.relative_to(results).parts]
    if not (local or runs):
        raise StoreError(f"no run under {printable(str(results))} yet; make one with: bakeoff run")
    return (local or runs)[-1]


def next_run_name(results: Path, profile: str) -> str:
    """A name by the time of day; after that of the newest run even where the clock was set back since."""
    now = datetime.now(UTC)
    newest = max((path.name for path in find_runs(results)), default="")
    with suppress(ValueError):
        now = max(now, datetime.strptime(newest[: len(_TIME_SHAPE)], _TIME).replace(tzinfo=UTC) + timedelta(seconds=1))
    return f"{now:{_TIME}}-{profile}"


def _absolute(path: Path) -> Path:
    """``path`` from the root on, so that it has a name; links stay, as a run is called what its user calls it."""
    return Path(os.path.abspath(path))  # noqa: PTH100


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a folder whose files may be listed and not looked at
        return False


def _looks_like_run(path: Path) -> bool:
    """Whether one of a run's files is there, be it readable or not: then the error is about it."""
    return any(os.path.lexists(path / name) for name in (ENVIRONMENT_FILE, RECORDS_FILE))


def _names(runs: list[Path], whole: bool) -> str:
    return ", ".join(printable(str(path) if whole else path.name) for path in runs[-5:]) or "none"
