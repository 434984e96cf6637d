"""Suites x implementations x cases x instruments to trials, in a shuffled, interleaved order."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

import numpy as np

from harness.contract import Case, Profile, Scalar, Suite
from harness.discovery import Catalogue, Listing
from harness.needs import Need, needs_of
from harness.seeds import derive_seed
from harness.trials import INSTRUMENTS, InstrumentName, Trial
from harness.worker.orders import Settings

_T = TypeVar("_T")


@dataclass(frozen=True)
class Scope:
    """What a run is asked for.

    :param devices: of the devices the machine has, those to measure on.
    :param cpu_count: what ``threads="all"`` means.
    :param where: by parameter the values of which a case must have one if it has the parameter at all.
    :param claims_only: nothing but what the claims rest on.
    """

    profile: Profile
    devices: tuple[str, ...]
    cpu_count: int
    seed: int
    instruments: tuple[InstrumentName, ...] = INSTRUMENTS
    where: Mapping[str, Collection[Scalar]] = field(default_factory=dict)
    claims_only: bool = False


@dataclass(frozen=True)
class Skipped:
    """A trial that cannot run, with the reason."""

    trial: Trial
    reason: str


@dataclass(frozen=True)
class Plan:
    """What a run does, in order: the first round of every contest, the single trials, the later rounds.

    A contest is planned in as many rounds as there may be; not all of them need be run.
    """

    contests: tuple[tuple[Trial, ...], ...]
    singles: tuple[Trial, ...]
    skipped: tuple[Skipped, ...]

    @property
    def rounds(self) -> tuple[tuple[tuple[Trial, ...], ...], ...]:
        """The contests of each round."""
        numbers = sorted({contest[0].round for contest in self.contests})
        return (
            tuple(
                tuple(contest for contest in self.contests if contest[0].round == number)
                for number in range(numbers[-1] + 1)
            )
            if numbers
            else ()
        )

    @property
    def trials(self) -> Iterator[Trial]:
        for contest in self.contests:
            yield from contest
        yield from self.singles


def make_plan(catalogue: Catalogue, scope: Scope, settings: Settings) -> Plan:
    """All trials of the catalogue's suites in ``scope``, and those that the claims of its profile need.

    The same seed gives the same plan.
    """
    rng = np.random.default_rng(derive_seed(scope.seed, "plan"))
    needed = [
        (suite, need)
        for suite in catalogue.suites.values()
        for need in dict.fromkeys((*_grid_needs(catalogue, suite, scope), *_claim_needs(catalogue, suite, scope)))
        if need.instrument in scope.instruments and need.device in scope.devices and _matches(need.case, scope.where)
    ]
    contests: dict[tuple[object, ...], list[Trial]] = {}
    singles: list[Trial] = []
    skipped: list[Skipped] = []
    for suite, need in needed:
        trial = _trial(suite, need, scope)
        reason = _obstacle(catalogue, suite, need) or _lack_of_cpus(trial, scope)
        if reason:
            skipped.append(Skipped(trial, reason))
        elif need.instrument == "time":
            contests.setdefault(trial.workload, []).append(trial)
        else:
            singles.append(trial)
    rounds = [
        tuple(replace(trial, round=number) for trial in contest)
        for number in range(settings.rounds)
        for contest in _shuffled(list(contests.values()), rng)
        if number < (catalogue.suites[contest[0].suite].rounds or settings.rounds)
    ]
    return Plan(tuple(rounds), tuple(_shuffled(singles, rng)), tuple(skipped))


def checks_of(catalogue: Catalogue, scope: Scope) -> tuple[tuple[Trial, ...], tuple[Skipped, ...]]:
    """One trial for every implementation on every case of the profile and every edge case, in every dtype it has.

    What claims of the profile time besides, of other cases or of a call's first phases, is checked as well.
    """
    trials: list[Trial] = []
    skipped: list[Skipped] = []
    for suite in catalogue.suites.values():
        cases = [case for case in (*suite.cases_of(scope.profile), *suite.edge_cases) if _matches(case, scope.where)]
        for listing in catalogue.of(suite.name):
            devices = [device for device in scope.devices if device in listing.devices]
            if listing.reason or not devices:
                reason = listing.reason or f"not written for {', '.join(scope.devices)}"
                need = Need(listing.name, cases[0] if cases else suite.cases[0], "time", listing.dtypes[0])
                skipped.append(Skipped(_trial(suite, need, scope), reason))
                continue
            needs = [
                Need(listing.name, case, "time", dtype, device, 1)
                for device, case, dtype in itertools.product(devices, cases, listing.dtypes)
            ]
            able = [need for need in needs if not listing.excludes(need.case)]
            trials += [_trial(suite, need, scope) for need in able]
            if needs and not able:
                skipped.append(Skipped(_trial(suite, needs[0], scope), listing.excludes(needs[0].case)))
        timed = [replace(need, threads=1) for need in _claim_needs(catalogue, suite, scope) if _is_timed(need, scope)]
        claimed = [_trial(suite, need, scope) for need in timed if not _obstacle(catalogue, suite, need)]
        seen = set(trials)
        trials += [trial for trial in dict.fromkeys(claimed) if trial not in seen]
    return tuple(trials), tuple(skipped)


def _is_timed(need: Need, scope: Scope) -> bool:
    return need.instrument == "time" and need.device in scope.devices and _matches(need.case, scope.where)


def _grid_needs(catalogue: Catalogue, suite: Suite, scope: Scope) -> Iterator[Need]:
    """Every implementation on every case of the profile, timed and with its memory and energy read."""
    if scope.claims_only:
        return
    threads: tuple[int, ...] = (1,) if scope.profile == "quick" else (1, scope.cpu_count)
    for device in scope.devices:
        listings = [listing for listing in catalogue.of(suite.name) if device in listing.devices]
        for case in suite.cases_of(scope.profile):
            for listing in listings:
                for dtype in suite.dtypes.get(device, ()):
                    if dtype not in listing.dtypes:
                        continue
                    several = device == "cpu" and not listing.inline  # an expression has no threads to use
                    for count in dict.fromkeys(threads if several else (1,)):
                        yield Need(listing.name, case, "time", dtype, device, count)
                    yield Need(listing.name, case, "memory", dtype, device, 1)
                    yield Need(listing.name, case, "energy", dtype, device, 1)


def _claim_needs(catalogue: Catalogue, suite: Suite, scope: Scope) -> Iterator[Need]:
    selected = {listing.name for listing in catalogue.of(suite.name)}
    for claim in suite.claims:
        if claim.profile == "full" and scope.profile == "quick":
            continue
        for cell in claim.cells:
            if cell.profile == "full" and scope.profile == "quick":
                continue
            for need in needs_of(cell.evidence):
                if not need.implementation or need.implementation in selected:
                    yield replace(need, threads=scope.cpu_count) if need.threads == "all" else need


def _trial(suite: Suite, need: Need, scope: Scope) -> Trial:
    if need.threads == "all":
        raise ValueError(f"threads of {need} must be a number by now")
    return Trial(
        suite=suite.name,
        implementation=need.implementation,
        case=need.case,
        device=need.device,
        dtype=need.dtype,
        threads=need.threads,
        instrument=need.instrument,
        round=0,
        seed=scope.seed,
        probe=need.probe,
        until=need.until,
    )


def _obstacle(catalogue: Catalogue, suite: Suite, need: Need) -> str:
    """Why a trial cannot run, or an empty string."""
    if not need.implementation:
        return ""
    listing: Listing = catalogue.find(suite.name, need.implementation)
    if listing.reason:
        return listing.reason
    if need.instrument == "probe":
        return ""
    if need.device not in listing.devices:
        return f"not written for {need.device}"
    if need.dtype not in listing.dtypes:
        return f"not written for {need.dtype}"
    phases = listing.phases or tuple(suite.phases)
    if need.until and need.until not in phases:
        return f"has no phase {need.until}"
    return listing.excludes(need.case)


def _lack_of_cpus(trial: Trial, scope: Scope) -> str:
    """Threads that share a CPU would be measured as if they did not."""
    if trial.threads <= scope.cpu_count:
        return ""
    return f"asks for {trial.threads} threads, and there are {scope.cpu_count} CPUs"


def _matches(case: Case, where: Mapping[str, Collection[Scalar]]) -> bool:
    return all(name not in case or case[name] in values for name, values in where.items())


def _shuffled(items: Sequence[_T], rng: np.random.Generator) -> list[_T]:
    return [items[index] for index in rng.permutation(len(items))]
