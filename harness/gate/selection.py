"""What can have changed between two sides: the rest has nothing to be measured for."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import harness
from harness.discovery import Catalogue, Listing, SelectionError
from harness.gate.dependencies import Code, CodeReader, environment_differences
from harness.gate.git import run_git
from harness.gate.sides import Name, Side

SAME_CODE = "same code, same packages"


@dataclass(frozen=True)
class Selection:
    """Implementations by name.

    :param chosen: what both sides have and may differ in, with what changed.
    :param skipped: what both sides have, with why it is not measured.
    :param new: what only head has; there is nothing to compare it with.
    :param removed: what only base has.
    :param code: of head's selected implementations, as it was read.
    :param notes: what a reader of the verdict has to know.
    """

    chosen: Mapping[Name, str]
    skipped: Mapping[Name, str]
    new: tuple[Name, ...]
    removed: tuple[Name, ...]
    code: Mapping[Name, Code]
    notes: tuple[str, ...] = ()

    @property
    def packages(self) -> frozenset[str]:
        """What the selected implementations and their suites import that is not the project's."""
        return frozenset(package for code in self.code.values() for package in code.packages)


def select(base: Side, head: Side, patterns: Sequence[str], everything: bool) -> Selection:
    """What of both sides to measure.

    :param patterns: selections as on the command line; all when empty.
    :param everything: whether what has not changed is measured as well.
    :raises SelectionError: a pattern matches nothing on either side.
    """
    ours, theirs = _matching(head, base, patterns), _matching(base, head, patterns)
    environment = environment_differences(base.checkout, head.checkout)
    chosen: dict[Name, str] = {}
    skipped: dict[Name, str] = {}
    code = {name: head.code_of(name) for name in ours}
    for name in sorted(set(ours) & set(theirs)):
        changed = base.code_of(name).differences(code[name])
        if changed:
            chosen[name] = f"{_some(changed)} changed"
        elif environment:
            chosen[name] = f"{_some(environment)} changed"
        elif everything:
            chosen[name] = "asked for with --all"
        else:
            skipped[name] = SAME_CODE
    new = tuple(sorted(set(ours) - set(theirs)))
    return Selection(
        chosen=chosen,
        skipped=skipped,
        new=new,
        removed=tuple(sorted(set(theirs) - set(ours))),
        code={name: code[name] for name in (*chosen, *new)},
        notes=(
            *_environment_note(environment, base, head),
            *_suite_notes(base, head, chosen),
            *_engine_note(base, head),
        ),
    )


def edited_since(head: Side, code: Mapping[Name, Code]) -> dict[Name, str]:
    """Implementations of the working tree whose code is not what was read before, with the first file that differs."""
    if head.checkout.asked:
        return {}
    fresh = dataclasses.replace(head, reader=CodeReader(head.checkout))
    found = {}
    for name, before in code.items():
        try:
            differing = fresh.code_of(name).differences(before)
        except OSError as error:  # one is gone
            differing = (str(error.filename),)
        if differing:
            found[name] = differing[0]
    return found


def _matching(side: Side, other: Side, patterns: Sequence[str]) -> Mapping[Name, Listing]:
    if not patterns:
        return side.listings
    found: dict[Name, Listing] = {}
    for pattern in patterns:
        try:
            found |= _listings(side.catalogue.select([pattern]))
        except SelectionError:
            other.catalogue.select([pattern])  # what only one side has is removed or new, and no mistake
    return found


def _listings(catalogue: Catalogue) -> dict[Name, Listing]:
    return {(listing.suite, listing.name): listing for listing in catalogue.listings}


def _some(files: Sequence[str]) -> str:
    return files[0] if len(files) == 1 else f"{files[0]} and {len(files) - 1} more"


def _environment_note(files: Sequence[str], base: Side, head: Side) -> tuple[str, ...]:
    if not files:
        return ()
    differ = f"{', '.join(files)} differ between base and head."
    if base.environment is None or head.environment is None:
        return (
            f"{differ} Both were measured in the one environment that is installed, so what other versions of "
            "packages change is not in these figures.",
        )
    versions = (base.environment.versions, head.environment.versions)
    names = sorted({*versions[0], *versions[1]})
    changed = [
        f"{name} {versions[0].get(name, 'as installed')} and {versions[1].get(name, 'as installed')}"
        for name in names
        if versions[0].get(name) != versions[1].get(name)
    ]
    told = f"with {', '.join(changed)}" if changed else "which turned out to hold the same versions"
    return (f"{differ} Each side was measured in an environment of its own, {told}.",)


def _suite_notes(base: Side, head: Side, chosen: Mapping[Name, str]) -> tuple[str, ...]:
    """A suite that changed may draw other inputs or ask for another answer."""
    changed = [
        suite
        for suite in dict.fromkeys(suite for suite, _ in chosen)
        if _suite_code(base, suite).differences(_suite_code(head, suite))
    ]
    if not changed:
        return ()
    return (
        f"The code of suite {', '.join(changed)} changed itself. Each side was measured and checked by its own, so "
        "that other inputs or other rules are part of the ratio.",
    )


def _suite_code(side: Side, suite: str) -> Code:
    return side.reader.code_of((side.project.suites / suite).rglob("*.py"))


def _engine_note(base: Side, head: Side) -> tuple[str, ...]:
    """Where the engine is part of the same repository."""
    engine = Path(harness.__file__).resolve().parent
    top = head.checkout.top
    if not engine.is_relative_to(top) or not base.checkout.commit:
        return ()
    name = engine.relative_to(top).as_posix()
    if not run_git(top, "diff", "--name-only", base.checkout.commit, "--", name):
        return ()
    return (f"The measuring program, {name}, changed as well. Both sides were measured by head's.",)
