"""``bakeoff check``."""

from __future__ import annotations

import json
import secrets
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from harness.cli.outcome import ExitCode
from harness.cli.progress import TerminalProgress
from harness.cli.selecting import choose_devices, choose_profile, open_catalogue, parse_where, select
from harness.discovery import Catalogue
from harness.environment import available_devices, usable_cpus
from harness.plan import Scope, checks_of
from harness.records import Record
from harness.runner.contest import Entry
from harness.runner.run import Engine
from harness.runner.server import ForkServer
from harness.runner.single import run_checks
from harness.runner.workers import WorkerPool
from harness.worker.orders import FULL


def run_check(
    project: Path,
    selection: Sequence[str],
    external: Sequence[Path],
    device: str,
    where: Sequence[str],
    profile: str,
    seed: int | None,
    as_json: bool,
) -> None:
    """Check every selected implementation on every case; exits with 1 if one is not right."""
    everything = open_catalogue(project, external)
    catalogue = select(everything, selection)
    scope = Scope(
        profile=choose_profile(profile),
        devices=choose_devices(device, available_devices()),
        cpu_count=usable_cpus(),
        seed=secrets.randbits(48) if seed is None else seed,
        where=parse_where(where, catalogue),
    )
    with WorkerPool(ForkServer(everything.project.preload)) as pool:
        records = check_records(everything, catalogue, scope, pool, at_once=scope.cpu_count)
    if as_json:
        print(json.dumps({"seed": scope.seed, "checks": [_row(record) for record in records]}, indent=1))
    else:
        _show(records, scope.seed)
    if any(record.status not in ("ok", "unavailable") for record in records):
        raise SystemExit(ExitCode.FOUND)


def check_records(
    everything: Catalogue, catalogue: Catalogue, scope: Scope, pool: WorkerPool, at_once: int
) -> list[Record]:
    """One record for each implementation, case, dtype and device, without samples.

    ``at_once`` implementations are checked side by side. The full profile's patience whatever the profile: the first
    call compiles, on a busy machine for minutes.
    """
    trials, skipped = checks_of(catalogue, scope)
    records = [Record(skip.trial, "unavailable", skip.reason) for skip in skipped]
    with TerminalProgress(len(trials)) as progress:
        engine = Engine(everything, FULL, pool, scope.cpu_count)
        contestants: dict[tuple[str, str, str], list[Entry]] = {}
        for trial in trials:
            contestants.setdefault((trial.suite, trial.implementation, trial.device), []).append(engine.entry(trial))
        with ThreadPoolExecutor(max_workers=at_once) as executor:
            for group in executor.map(lambda entries: run_checks(entries, pool), _suites_in_turn(contestants)):
                progress.step(f"{group[0].trial.suite}/{group[0].trial.implementation}")
                progress.advance(len(group))
                records += group
    return records


def _suites_in_turn(contestants: Mapping[tuple[str, str, str], list[Entry]]) -> list[list[Entry]]:
    """One of each suite after the other: two of one suite at once would both compile what they share."""
    counts: Counter[str] = Counter()
    turns = []
    for (suite, _, _), entries in contestants.items():
        turns.append((counts[suite], entries))
        counts[suite] += 1
    return [entries for _, entries in sorted(turns, key=lambda turn: turn[0])]


def _row(record: Record) -> dict[str, object]:
    trial = record.trial
    return {
        "suite": trial.suite,
        "implementation": trial.implementation,
        "case": dict(trial.case),
        "device": trial.device,
        "dtype": trial.dtype,
        "status": record.status,
        "reason": record.reason,
        **{key: record.to_json()[key] for key in ("errors", "limits", "flags")},
    }


def _show(records: Sequence[Record], seed: int) -> None:
    by_contestant: dict[tuple[str, str], list[Record]] = {}
    for record in records:
        by_contestant.setdefault((record.trial.suite, record.trial.implementation), []).append(record)
    width = max((len(f"{suite}/{name}") for suite, name in by_contestant), default=0)
    for (suite, name), group in sorted(by_contestant.items()):
        right = sum(record.status == "ok" for record in group)
        bad = [record for record in group if record.status not in ("ok", "unavailable")]
        absent = [record for record in group if record.status == "unavailable"]
        verdict = "WRONG" if bad else "right" if right else "-"
        text = f"{right} of {len(group)} checks right" if right or bad else f"unavailable: {absent[0].reason}"
        print(f"{verdict:<6} {suite + '/' + name:<{width}}  {text}")
        for record in bad:
            print(f"       {record.trial.case.label} {record.trial.dtype}: {record.status}: {record.reason}")
    print(f"inputs drawn from --seed {seed}")
