"""What a trial's result depends on, as short hashes: its code, its parameters, its environment and its seed."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from harness.discovery import Catalogue
from harness.trials import Trial
from harness.worker.orders import Settings

KINDS = ("code", "parameters", "environment", "seed")
# What differs from one moment to the next on the same machine.
_PASSING = ("load_average",)


class Fingerprints:
    """The fingerprints of trials that run now.

    :param environment: as :func:`harness.environment.describe_environment` gives it.
    """

    def __init__(self, catalogue: Catalogue, settings: Settings, environment: Mapping[str, Any]) -> None:
        self._catalogue = catalogue
        self._settings = dataclasses.asdict(settings)
        self._environment = _hash(_lasting(environment))
        self._code: dict[tuple[str, str], str] = {}

    def of(self, trial: Trial) -> dict[str, str]:
        """A hash for each of :data:`KINDS`.

        ``code`` changes with any file of the suite and any file that the implementation is made of; ``parameters`` with
        what is asked of the trial and how long the profile measures.
        """
        asked = {name: value for name, value in trial.to_json().items() if name != "seed"}
        return {
            "code": self._code_of(trial.suite, trial.implementation),
            "parameters": _hash([asked, self._settings]),
            "environment": self._environment,
            "seed": _hash(trial.seed),
        }

    def _code_of(self, suite: str, implementation: str) -> str:
        known = self._code.get((suite, implementation))
        if known is None:
            known = self._code[suite, implementation] = _hash_files(self._files(suite, implementation))
        return known

    def _files(self, suite: str, implementation: str) -> Iterable[Path]:
        files = set((self._catalogue.project.suites / suite).glob("**/*.py"))
        if implementation:
            listing = self._catalogue.find(suite, implementation)
            files |= {listing.path, *listing.sources}
        return sorted(files)


def same_environment(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two environments are the same machine with the same software, described now or read from a file."""
    return _hash(_lasting(one)) == _hash(_lasting(other))


def _lasting(environment: Mapping[str, Any]) -> list[object]:
    machine = {name: value for name, value in environment.get("machine", {}).items() if name not in _PASSING}
    return [machine, *(environment.get(part) for part in ("gpus", "packages", "variables", "bakeoff"))]


def _hash_files(files: Iterable[Path]) -> str:
    digest = hashlib.blake2b(digest_size=8)
    for file in files:
        digest.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()


def _hash(value: object) -> str:
    text = json.dumps(value, sort_keys=True, default=str)
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
