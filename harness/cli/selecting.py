"""From words on the command line to a catalogue and a scope."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import cast

from harness.cli.outcome import Failure, choose, user_errors
from harness.config import Project, find_project
from harness.contract import PROFILES, Profile, Scalar
from harness.discovery import Catalogue, load_catalogue


def open_catalogue(project: Path, external: Sequence[Path]) -> Catalogue:
    with user_errors():
        return load_catalogue(find_project(project), external)


def select(catalogue: Catalogue, selection: Sequence[str]) -> Catalogue:
    with user_errors():
        return catalogue.select(selection)


def open_project(project: Path) -> Project:
    with user_errors():
        return find_project(project)


def choose_devices(device: str, available: tuple[str, ...]) -> tuple[str, ...]:
    """The devices to use.

    :raises Failure: the machine does not have the one asked for.
    """
    choose("--device", device, ("cpu", "cuda", "all"))
    if device == "all":
        return available
    if device not in available:
        raise Failure(f"--device {device}: this machine has only {', '.join(available)} (NVML shows no NVIDIA GPU)")
    return (device,)


def choose_profile(profile: str) -> Profile:
    return cast(Profile, choose("--profile", profile, PROFILES))


def parse_where(conditions: Sequence[str], catalogue: Catalogue) -> Mapping[str, tuple[Scalar, ...]]:
    """``AXIS=VALUE`` conditions, each naming a parameter of some selected suite; by axis the values of any of them.

    :raises Failure: a condition is no ``AXIS=VALUE``, or no case has such a parameter or value.
    """
    where: dict[str, tuple[Scalar, ...]] = {}
    cases = [case for suite in catalogue.suites.values() for case in suite.cases]
    for condition in conditions:
        axis, equals, text = condition.partition("=")
        if not equals:
            raise Failure(f"--where {condition!r} must be AXIS=VALUE")
        values = {case[axis]: None for case in cases if axis in case}
        if not values:
            choose("--where axis", axis, tuple(sorted({name for case in cases for name in case})))
        matching = [value for value in values if str(value).lower() == text.lower()]
        if not matching:
            raise Failure(f"--where {condition}: no case has that value; {axis} is one of {_listed(values)}")
        where[axis] = (*where.get(axis, ()), matching[0])
    return where


def _listed(values: Iterable[Scalar]) -> str:
    return ", ".join(str(value) for value in values)
