"""What was not measured, and why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.discovery import Catalogue
from harness.discovery.listing import Listing
from harness.records import Record
from harness.reporting import text
from harness.reporting.standing import Contestant
from harness.trials import INSTRUMENTS

_NOUNS = {
    "failed": "failed",
    "timeout": "ran out of time",
    "out_of_memory": "ran out of memory",
    "crashed": "crashed",
    "wrong": "gave a wrong answer",
    "unavailable": "was not run",
}


@dataclass(frozen=True)
class Gap:
    """Something that has no figure.

    :param what: who or what, in a few words.
    :param reason: why, as far as it was recorded.
    :param detail: long texts, folded.
    """

    what: str
    reason: str
    detail: str = ""


@dataclass(frozen=True)
class TakenPart:
    """Who took part in a suite, and in which dtypes its workloads were."""

    suite: str
    contestants: Sequence[Contestant]
    dtypes: Sequence[str]


@dataclass(frozen=True)
class Absent:
    """Everything without a figure, by kind; an empty group is not shown."""

    groups: tuple[tuple[str, tuple[Gap, ...]], ...]


def find_gaps(
    measured: Sequence[TakenPart],
    catalogue: Catalogue,
    records: Sequence[Record],
    environment: Mapping[str, Any],
    warnings: Sequence[str],
) -> Absent:
    groups = {
        "Devices and instruments": [*_devices(environment, records), *_instruments(environment)],
        "Implementations without a record or a figure": [
            *_unavailable(measured),
            *_unrecorded(measured, catalogue, environment),
        ],
        "Trials that ended without a figure": [*_mishaps(measured), *_probes(records)],
        "Suites": list(_suites(measured, catalogue, records)),
        "Lines of the records that could not be read": [Gap(warning, "left out") for warning in warnings],
    }
    return Absent(tuple((title, tuple(gaps)) for title, gaps in groups.items() if gaps))


def _devices(environment: Mapping[str, Any], records: Sequence[Record]) -> Iterable[Gap]:
    sensors = environment.get("sensors", {})
    if not environment.get("gpus"):
        state = sensors.get("cuda", {}).get("reason", "")
        yield Gap("GPU", state or "none was found on this machine")
    elif "cuda" not in environment.get("devices", []):
        yield Gap("GPU", "there is one, but the run left it out")
    if not environment.get("ceilings"):
        yield Gap("Ceilings of the machine", "none were measured, so there is no share of a ceiling")
    if records and all(record.status != "ok" for record in records):
        yield Gap("Times", "no contestant gave a right answer, and none is shown without one")


def _instruments(environment: Mapping[str, Any]) -> Iterable[Gap]:
    taken = environment.get("instruments", INSTRUMENTS)
    devices = environment.get("devices", ["cpu"])
    for instrument in INSTRUMENTS:
        if instrument == "energy":
            for device in devices:
                sensor = environment.get("sensors", {}).get(device, {})
                if not sensor.get("available"):
                    yield Gap(f"Energy on {device}", sensor.get("reason") or "no sensor was recorded")
                elif instrument not in taken:
                    yield Gap(f"Energy on {device}", "the run left it out")
        elif instrument not in taken:
            yield Gap(instrument.capitalize(), "the run left it out")


def _unavailable(measured: Sequence[TakenPart]) -> Iterable[Gap]:
    by_reason: dict[str, list[str]] = {}
    for part in measured:
        for contestant in part.contestants:
            if contestant.standing == "unavailable":
                for mishap in contestant.mishaps:
                    by_reason.setdefault(mishap.reason or "no reason was recorded", []).append(
                        f"{part.suite}/{contestant.name}"
                    )
    for reason, names in by_reason.items():
        yield Gap(text.listing(dict.fromkeys(names)), reason)


def _unrecorded(measured: Sequence[TakenPart], catalogue: Catalogue, environment: Mapping[str, Any]) -> Iterable[Gap]:
    """Implementations of a suite in the run that have no record in it."""
    devices = environment.get("devices", ["cpu"])
    by_reason: dict[tuple[str, str], list[str]] = {}
    for part in measured:
        seen = {contestant.name for contestant in part.contestants}
        for listing in catalogue.of(part.suite):
            if listing.name not in seen:
                reason = listing.reason or _why_left_out(listing, devices, part.dtypes)
                by_reason.setdefault((listing.suite, reason), []).append(listing.name)
    for (suite, reason), names in by_reason.items():
        yield Gap(f"{suite}: {text.listing(names)}", reason)


def _why_left_out(listing: Listing, devices: Sequence[str], dtypes: Sequence[str]) -> str:
    for offered, measured_in in ((listing.devices, devices), (listing.dtypes, dtypes)):
        if measured_in and not set(offered) & set(measured_in):
            return f"written for {text.listing(offered)}, the run measured {text.listing(measured_in)}"
    return "not part of this run"


def _mishaps(measured: Sequence[TakenPart]) -> Iterable[Gap]:
    for part in measured:
        for contestant in part.contestants:
            if contestant.standing == "unavailable":
                continue
            for mishap in contestant.mishaps:
                verb = _NOUNS.get(mishap.status, mishap.status)
                yield Gap(
                    f"{part.suite}/{contestant.name} {verb}",
                    mishap.reason or "no reason was recorded",
                    f"in {text.listing(mishap.where, most=8)}",
                )


def _probes(records: Sequence[Record]) -> Iterable[Gap]:
    """Probes that concern no implementation; the others are among their implementation's mishaps."""
    bad = dict.fromkeys(
        (record.trial.suite, record.trial.probe, record.status, record.reason)
        for record in records
        if not record.trial.implementation and record.status != "ok"
    )
    for suite, probe, status, reason in bad:
        yield Gap(f"{suite}, probe {probe} {_NOUNS.get(status, status)}", reason or "no reason was recorded")


def _suites(measured: Sequence[TakenPart], catalogue: Catalogue, records: Sequence[Record]) -> Iterable[Gap]:
    shown = {part.suite for part in measured}
    left_out = [name for name in catalogue.suites if name not in shown]
    if left_out:
        yield Gap(text.listing(left_out), "no records in this run")
    unknown = dict.fromkeys(record.trial.suite for record in records if record.trial.suite not in catalogue.suites)
    if unknown:
        yield Gap(text.listing(unknown), "has records in this run, but the project has no such suite any more")
