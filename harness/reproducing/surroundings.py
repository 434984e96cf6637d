"""What was not the same when a run was repeated: code, machine, packages, settings."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_MACHINE = {"cpu": "CPU", "cpus": "CPUs", "architecture": "architecture", "os": "system", "python": "Python"}


@dataclass(frozen=True)
class Difference:
    """One thing that was different.

    :param remedy: a command that makes it the same; empty where there is none.
    """

    what: str
    old: str
    new: str
    remedy: str = ""


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Difference]:
    """What two environments differ in, apart from the moment."""
    found = [*_code(old.get("git", {}), new.get("git", {}))]
    found += _pairs("bakeoff", old.get("bakeoff"), new.get("bakeoff"))
    for key, label in _MACHINE.items():
        found += _pairs(label, old.get("machine", {}).get(key), new.get("machine", {}).get(key))
    found += _pairs("GPUs", *(", ".join(str(gpu.get("name")) for gpu in side.get("gpus", [])) for side in (old, new)))
    found += _variables(old.get("variables"), new.get("variables"))
    found += _packages(old.get("packages", {}), new.get("packages", {}))
    before, now = (_flat(side.get("settings", {})) for side in (old, new))
    for name in sorted(before.keys() & now.keys()):
        found += _pairs(f"setting {name}", before[name], now[name])
    found += _pairs("seed", old.get("seed"), new.get("seed"))
    return found


def _code(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Difference]:
    first, second = (str(side.get("commit", "")) for side in (old, new))
    if old.get("modified"):
        yield Difference("code", f"{first[:10]} with changes that were not committed", _commit(new))
    elif first != second or new.get("modified"):
        yield Difference("code", _commit(old), _commit(new), f"git switch --detach {first[:10]}" if first else "")


def _commit(git: Mapping[str, Any]) -> str:
    commit = str(git.get("commit", ""))[:10] or "not recorded"
    return f"{commit} with changes that were not committed" if git.get("modified") else commit


def _pairs(what: str, old: object, new: object) -> list[Difference]:
    if old == new:
        return []
    return [Difference(what, _said(old), _said(new))]


def _said(value: object) -> str:
    return "not recorded" if value is None else str(value) or "none"


def _packages(old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[Difference]:
    for name in sorted(old.keys() | new.keys()):
        first, second = old.get(name), new.get(name)
        if first == second:
            continue
        remedy = f"pip install {shlex.quote(f'{name}=={first}')}" if first else f"pip uninstall {shlex.quote(name)}"
        yield Difference(name, first or "not installed", second or "not installed", remedy)


def _variables(old: Mapping[str, str] | None, new: Mapping[str, str] | None) -> Iterator[Difference]:
    """By what libraries were steered; nothing can be said of a run from before this was recorded."""
    if old is None or new is None:
        return
    for name in sorted(old.keys() | new.keys()):
        first, second = old.get(name), new.get(name)
        if first != second:
            remedy = f"export {name}={shlex.quote(first)}" if first else f"unset {name}"
            yield Difference(name, first or "not set", second or "not set", remedy)


def _flat(settings: Mapping[str, Any], prefix: str = "") -> dict[str, object]:
    found: dict[str, object] = {}
    for name, value in settings.items():
        if isinstance(value, Mapping):
            found |= _flat(value, f"{prefix}{name}.")
        else:
            found[f"{prefix}{name}"] = list(value) if isinstance(value, tuple) else value
    return found
