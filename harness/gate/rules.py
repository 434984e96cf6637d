"""``[tool.bakeoff.gate]``: how much dearer head may be, and which changes are accepted for how long."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from fnmatch import fnmatchcase
from typing import Any

from harness.config import ConfigError, Project
from harness.discovery import Catalogue, SelectionError
from harness.gate.sides import Name
from harness.statistics import Estimate
from harness.trials import InstrumentName

GATED: tuple[InstrumentName, ...] = ("time", "memory", "energy")
DEFAULTS: Mapping[InstrumentName, float] = {"time": 0.02, "memory": 0.05, "energy": 0.05}
_TABLE = "tool.bakeoff.gate"
_PERCENT = 100.0


@dataclass(frozen=True)
class Accepted:
    """A change that is known and wanted.

    :param what: suite, suite/implementation, or a glob of either.
    :param until: the last day on which it counts.
    :param instrument: what it is about; empty for all.
    :param up_to: the largest increase that is accepted, as a share; ``None`` for any.
    """

    what: str
    reason: str
    until: date
    instrument: str = ""
    up_to: float | None = None

    def covers(self, name: Name, instrument: str, ratio: Estimate) -> bool:
        if self.instrument not in ("", instrument) or not matches(self.what, name):
            return False
        return self.up_to is None or ratio.low <= 1 + self.up_to


@dataclass(frozen=True)
class Rules:
    """What a project asks of its gate; shares, not per cent.

    :param overrides: thresholds by suite, suite/implementation or glob; the closest one counts.
    """

    thresholds: Mapping[InstrumentName, float] = field(default_factory=lambda: dict(DEFAULTS))
    overrides: Mapping[str, Mapping[InstrumentName, float]] = field(default_factory=dict)
    accepted: tuple[Accepted, ...] = ()

    def threshold(self, name: Name, instrument: InstrumentName) -> float:
        fitting = [
            pattern for pattern, table in self.overrides.items() if instrument in table and matches(pattern, name)
        ]
        if fitting:
            return self.overrides[max(fitting, key=_closeness)][instrument]
        return self.thresholds[instrument]

    def acceptance(self, name: Name, instrument: str, ratio: Estimate, today: date) -> Accepted | None:
        """What accepts this increase today."""
        return next(
            (each for each in self.accepted if each.until >= today and each.covers(name, instrument, ratio)), None
        )

    def expired(self, today: date) -> tuple[Accepted, ...]:
        return tuple(each for each in self.accepted if each.until < today)

    def with_time_threshold(self, share: float) -> Rules:
        """The rules with one threshold for all times."""
        overrides: dict[str, Mapping[InstrumentName, float]] = {
            pattern: {name: table[name] for name in GATED if name in table and name != "time"}
            for pattern, table in self.overrides.items()
        }
        return Rules({**self.thresholds, "time": share}, overrides, self.accepted)

    def idle(self, catalogue: Catalogue) -> tuple[str, ...]:
        """What names something that does not exist, as sentences."""
        found = []
        for pattern in dict.fromkeys((*self.overrides, *(each.what for each in self.accepted))):
            try:
                catalogue.select([pattern])
            except SelectionError as error:
                found.append(f"[{_TABLE}]: {error}")
        return tuple(found)


def matches(pattern: str, name: Name) -> bool:
    suite, slash, implementation = pattern.partition("/")
    return fnmatchcase(name[0], suite) and (not slash or fnmatchcase(name[1], implementation))


def read_rules(project: Project) -> Rules:
    """The rules in the project's ``pyproject.toml``; percentages there, shares here.

    :raises ConfigError: a key is unknown or has a value of the wrong kind; the message names it and says what it takes.
    """
    file = project.root / "pyproject.toml"
    document = tomllib.loads(file.read_text(encoding="utf-8"))
    table = _table(document.get("tool", {}).get("bakeoff", {}).get("gate", {}), _TABLE)
    _known(table, (*GATED, "overrides", "accepted", "install"), _TABLE)
    _words(table.get("install", []), f"{_TABLE}.install")
    overrides = _table(table.get("overrides", {}), f"{_TABLE}.overrides")
    accepted = table.get("accepted", [])
    if not isinstance(accepted, list):
        raise ConfigError(f"{_TABLE}.accepted must be written as [[{_TABLE}.accepted]], not {accepted!r}")
    return Rules(
        thresholds={**DEFAULTS, **_thresholds(table, _TABLE)},
        overrides={
            pattern: _override(value, f"{_TABLE}.overrides.{pattern!r}") for pattern, value in overrides.items()
        },
        accepted=tuple(_accepted(each, f"{_TABLE}.accepted[{number}]") for number, each in enumerate(accepted)),
    )


def _override(value: Any, where: str) -> Mapping[InstrumentName, float]:
    table = _table(value, where)
    _known(table, GATED, where)
    return _thresholds(table, where)


def _thresholds(table: Mapping[str, Any], where: str) -> dict[InstrumentName, float]:
    return {name: _share(table[name], f"{where}.{name}") for name in GATED if name in table}


def _accepted(value: Any, where: str) -> Accepted:
    table = _table(value, where)
    _known(table, ("what", "reason", "until", "instrument", "up_to"), where)
    for key in ("what", "reason", "until"):
        if key not in table:
            raise ConfigError(f"{where} has no {key}; an accepted change says what it is, why, and until when")
    instrument = table.get("instrument", "")
    if instrument not in ("", *GATED):
        raise ConfigError(f"{where}.instrument must be one of {', '.join(GATED)}, not {instrument!r}")
    return Accepted(
        what=_text(table["what"], f"{where}.what"),
        reason=_text(table["reason"], f"{where}.reason"),
        until=_date(table["until"], f"{where}.until"),
        instrument=instrument,
        up_to=_share(table["up_to"], f"{where}.up_to") if "up_to" in table else None,
    )


def _table(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise ConfigError(f"{where} must be a table, not {value!r}")
    return value


def _known(table: Mapping[str, Any], keys: tuple[str, ...], where: str) -> None:
    for key in table:
        if key not in keys:
            raise ConfigError(f"{where} has an unknown key {key!r}; known are {', '.join(keys)}")


def _share(value: Any, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < float("inf"):
        raise ConfigError(f"{where} must be a number of per cent above 0, not {value!r}")
    return value / _PERCENT


def _text(value: Any, where: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ConfigError(f"{where} must be a text that is not empty, not {value!r}")
    return value.strip()


def _words(value: Any, where: str) -> None:
    if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
        raise ConfigError(f"{where} must be a list of words for pip install, not {value!r}")


def _date(value: Any, where: str) -> date:
    if isinstance(value, str):
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass
    elif isinstance(value, date) and not isinstance(value, datetime):
        return value
    raise ConfigError(f"{where} must be a date such as 2026-12-31, not {value!r}")


def _closeness(pattern: str) -> tuple[bool, bool, int]:
    """A name beats a glob, an implementation a suite, a longer pattern a shorter one."""
    return "/" in pattern, not any(letter in pattern for letter in "*?["), len(pattern)
