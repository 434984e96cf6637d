"""A side as the engine sees it: a project with its own catalogue, in its own folder, with its own imports."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from harness.config import ConfigError, Project, find_project
from harness.discovery import Catalogue, DiscoveryError, Listing, load_catalogue
from harness.gate.dependencies import Code, CodeReader
from harness.gate.environments import Environment
from harness.gate.importing import import_path, importing_from
from harness.gate.revisions import Checkout
from harness.plan import Plan, Scope, make_plan
from harness.trials import Trial
from harness.worker.orders import Settings

Name = tuple[str, str]
"""An implementation's suite and name."""


class SideError(Exception):
    """A side's suites and implementations cannot be listed; the message names the file and says why."""

    def __init__(self, side: Literal["base", "head"], reason: str) -> None:
        super().__init__(reason)
        self.side = side


@dataclass(frozen=True)
class Side:
    """One revision of the project.

    :param path: ``sys.path`` of its workers.
    :param environment: its own, where the sides ask for other packages.
    """

    name: Literal["base", "head"]
    checkout: Checkout
    catalogue: Catalogue
    path: tuple[str, ...]
    reader: CodeReader
    environment: Environment | None = None

    @property
    def project(self) -> Project:
        return self.catalogue.project

    @property
    def listings(self) -> dict[Name, Listing]:
        return {(listing.suite, listing.name): listing for listing in self.catalogue.listings}

    def code_of(self, name: Name) -> Code:
        """All files of the suite's folder and of the implementation, and everything that they import."""
        listing = self.listings[name]
        suite = (file for file in (self.project.suites / listing.suite).rglob("*") if _is_code(file))
        return self.reader.code_of([listing.path, *suite])

    def plan(self, names: Set[Name], scope: Scope, settings: Settings) -> Plan:
        """One round of the cases of these implementations; what only claims ask for is left out."""
        return make_plan(self.only(names), scope, dataclasses.replace(settings, rounds=1))

    def only(self, names: Set[Name]) -> Catalogue:
        """The catalogue of these implementations, without claims."""
        listings = tuple(each for each in self.catalogue.listings if (each.suite, each.name) in names)
        suites = {
            name: dataclasses.replace(suite, claims=())
            for name, suite in self.catalogue.suites.items()
            if any(listing.suite == name for listing in listings)
        }
        return Catalogue(self.project, suites, listings)


def load_side(
    name: Literal["base", "head"], checkout: Checkout, installed_from: Path, environment: Environment | None = None
) -> Side:
    """:raises SideError: the revision has no project there, or a file of it breaks the contract."""
    path = import_path(checkout, installed_from, environment.path if environment else None)
    try:
        if not (checkout.root / "pyproject.toml").is_file():
            raise ConfigError(f"{checkout.description} has no pyproject.toml in the project's folder")
        project = find_project(checkout.root)
        if project.root != checkout.root.resolve():
            raise ConfigError(
                f"{checkout.description} has no pyproject.toml with [tool.bakeoff] in the project's folder"
            )
        with importing_from(path, checkout.top):
            catalogue = load_catalogue(project)
    except (ConfigError, DiscoveryError) as error:
        shown = str(error).replace(f"{checkout.top}/", "")  # a folder that is gone when this is read
        raise SideError(name, shown) from error
    return Side(name, checkout, catalogue, path, CodeReader(checkout), environment)


def contestants(trials: Iterable[Trial]) -> dict[tuple[object, ...], Trial]:
    """The trials by what they have in common on both sides."""
    return {(*trial.workload, trial.implementation): trial for trial in trials}


def _is_code(file: Path) -> bool:
    return file.is_file() and "__pycache__" not in file.parts
