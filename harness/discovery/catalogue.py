"""All suites and implementations of a project, those named on the command line and those of installed packages."""

from __future__ import annotations

import difflib
import hashlib
import importlib
import importlib.metadata
import importlib.util
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path

from harness.config import Project
from harness.contract import Suite
from harness.discovery.listing import DiscoveryError, Listing, Own, read_listing
from harness.packages import bind_packages

ENTRY_POINT_GROUP = "bakeoff.implementations"
EXTERNAL_PACKAGE = "bakeoff_external"


class SelectionError(Exception):
    """A selection on the command line matches nothing; the message names the nearest that would."""


@dataclass(frozen=True)
class Catalogue:
    """The suites by name and their implementations, in the order of their names."""

    project: Project
    suites: dict[str, Suite]
    listings: tuple[Listing, ...]

    def of(self, suite: str) -> tuple[Listing, ...]:
        return tuple(listing for listing in self.listings if listing.suite == suite)

    def find(self, suite: str, implementation: str) -> Listing:
        try:
            return self._by_name[suite, implementation]
        except KeyError as error:
            raise KeyError(f"{suite}/{implementation}") from error

    @cached_property
    def _by_name(self) -> dict[tuple[str, str], Listing]:
        """The first of a name counts."""
        return {(listing.suite, listing.name): listing for listing in reversed(self.listings)}

    @cached_property
    def shared_code_hash(self) -> str:
        """Changes when any file that implementations share does; of all suites, since these share some as well."""
        own = {listing.path for listing in self.listings}
        digest = hashlib.blake2b(digest_size=10)
        for file in sorted({file for listing in self.listings for file in listing.sources} - own):
            digest.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
        return digest.hexdigest()

    def select(self, selections: Sequence[str]) -> Catalogue:
        """The part that the selections name: ``suite``, ``suite/implementation`` or a glob of either.

        :raises SelectionError: one of them matches nothing.
        """
        if not selections:
            return self
        chosen: set[tuple[str, str]] = set()
        for selection in selections:
            matched = set(self._matching(selection))
            if not matched:
                raise SelectionError(self._nothing_matches(selection))
            chosen |= matched
        return Catalogue(
            project=self.project,
            suites={name: suite for name, suite in self.suites.items() if any(name == s for s, _ in chosen)},
            listings=tuple(listing for listing in self.listings if (listing.suite, listing.name) in chosen),
        )

    def _matching(self, selection: str) -> Iterator[tuple[str, str]]:
        suite_pattern, slash, implementation_pattern = selection.partition("/")
        for suite in self.suites:
            if not fnmatchcase(suite, suite_pattern):
                continue
            if not slash:
                yield suite, ""
            for listing in self.of(suite):
                if not slash or fnmatchcase(listing.name, implementation_pattern):
                    yield suite, listing.name

    def _nothing_matches(self, selection: str) -> str:
        names = [*self.suites, *(f"{listing.suite}/{listing.name}" for listing in self.listings)]
        near = difflib.get_close_matches(selection, names, n=1, cutoff=0.4)
        hint = f"did you mean {near[0]!r}?" if near else f"suites are {', '.join(self.suites) or 'none'}"
        return f"nothing matches {selection!r}; {hint}"


def load_catalogue(project: Project, external: Sequence[Path] = ()) -> Catalogue:
    """Read the project's suites and list its implementations, those in ``external`` files and of entry points.

    :raises DiscoveryError: a file breaks the contract, or two implementations of a suite have the same name.
    """
    bind_packages(project.root, project.packages)
    suites = {name: _load_suite(project, name) for name in _topics(project)}
    listings = [*_project_listings(project), *_external_listings(project, external), *_installed_listings(project)]
    seen: dict[tuple[str, str], Listing] = {}
    for listing in listings:
        if listing.suite not in suites:
            near = difflib.get_close_matches(listing.suite, suites, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else f"; suites are {', '.join(suites) or 'none'}"
            raise DiscoveryError(f"{listing.path} implements suite {listing.suite!r}, which does not exist{hint}")
        other = seen.setdefault((listing.suite, listing.name), listing)
        if other is not listing:
            raise DiscoveryError(
                f"{listing.path} and {other.path} are both called {listing.suite}/{listing.name}; rename one file"
            )
    ordered = tuple(sorted(seen.values(), key=lambda listing: (listing.suite, listing.name)))
    return Catalogue(project=project, suites=suites, listings=ordered)


def suite_module(project: Project, topic: str) -> str:
    return ".".join((*project.suites.relative_to(project.root).parts, topic, "suite"))


def _topics(project: Project) -> list[str]:
    return sorted(file.parent.name for file in project.suites.glob("*/suite.py"))


def _load_suite(project: Project, topic: str) -> Suite:
    path = project.suites / topic / "suite.py"
    try:
        suite = importlib.import_module(suite_module(project, topic)).SUITE
    except AttributeError as error:
        raise DiscoveryError(f"{path}: {error}; a suite's file defines SUITE") from error
    except Exception as error:
        raise DiscoveryError(f"{path} cannot be imported: {type(error).__name__}: {error}") from error
    if not isinstance(suite, Suite) or suite.name != topic:
        raise DiscoveryError(f"{path}: SUITE must be a Suite named {topic!r}, as its folder")
    return suite


def _project_listings(project: Project) -> Iterator[Listing]:
    own = Own(project.root, project.packages, project.impls)
    prefix = project.impls.relative_to(project.root).parts
    for topic in _topics(project):
        for path in sorted((project.impls / topic).glob("*.py")):
            if path.name.startswith("_"):
                continue
            module = ".".join((*prefix, topic, path.stem))
            listing = read_listing(path, name=path.stem, module=module, origin="project", own=own)
            if listing.suite != topic:
                raise DiscoveryError(
                    f"{path} lies in the folder of {topic!r} but implements {listing.suite!r}; move it, or import "
                    f"SUITE from {suite_module(project, topic)}"
                )
            yield listing


def _external_listings(project: Project, paths: Sequence[Path]) -> Iterator[Listing]:
    own = Own(project.root, project.packages, project.impls)
    for path in paths:
        if not path.is_file():
            raise DiscoveryError(f"--impl {path}: there is no such file")
        name = path.stem
        module = f"{EXTERNAL_PACKAGE}.{name}"
        yield read_listing(path.resolve(), name=name, module=module, origin=f"path {path}", own=own)


def _installed_listings(project: Project) -> Iterator[Listing]:
    own = Own(project.root, project.packages, project.impls)
    for point in importlib.metadata.entry_points(group=ENTRY_POINT_GROUP):
        origin = f"package {point.dist.name}" if point.dist else "an installed package"
        path = _module_file(point.module)
        if path is None:
            raise DiscoveryError(f"entry point {point.name!r} of {origin}: module {point.module} cannot be found")
        listing = read_listing(path, name=point.name, module=point.module, origin=origin, own=own)
        if (project.suites / listing.suite / "suite.py").is_file():
            yield listing


def _module_file(module: str) -> Path | None:
    """The file of an installed module, found without importing its parent packages."""
    top, *rest = module.split(".")
    spec = importlib.util.find_spec(top)
    if spec is None:
        return None
    if not rest:
        return Path(spec.origin) if spec.origin else None
    for location in spec.submodule_search_locations or ():
        base = Path(location).joinpath(*rest)
        for file in (base.with_suffix(".py"), base / "__init__.py"):
            if file.is_file():
                return file
    return None
