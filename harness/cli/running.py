"""``bakeoff run``."""

from __future__ import annotations

import dataclasses
import json
import secrets
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from harness.cli.outcome import ExitCode, Failure, choose, user_errors
from harness.cli.progress import TerminalProgress
from harness.cli.selecting import choose_devices, choose_profile, open_catalogue, parse_where, select
from harness.discovery import Catalogue
from harness.environment import (
    available_devices,
    describe_environment,
    machine_name,
    usable_cpu_numbers,
    usable_cpus,
)
from harness.loading import Run, load_run, resolve_run, resumable
from harness.plan import Plan, Scope, make_plan
from harness.records import Record
from harness.runner.run import Engine, execute, measure_ceilings
from harness.runner.workers import Deadline, WorkerPool
from harness.seeds import derive_seed
from harness.store import RunWriter, write_json
from harness.trials import INSTRUMENTS, InstrumentName
from harness.worker.orders import SETTINGS, Settings


@dataclass(frozen=True)
class Request:
    """What the user asked for."""

    project: Path
    selection: tuple[str, ...]
    external: tuple[Path, ...]
    profile: str
    device: str
    where: tuple[str, ...]
    instruments: tuple[str, ...]
    budget_s: float | None
    results: Path | None
    resume: str | None
    seed: int | None
    report: bool
    as_json: bool
    pin: bool = True
    precision_percent: float | None = None
    rounds: int | None = None
    cuda_graph: bool = False

    @property
    def settings(self) -> Settings:
        settings = dataclasses.replace(SETTINGS[choose_profile(self.profile)], cuda_graph=self.cuda_graph)
        if self.precision_percent is not None:
            settings = dataclasses.replace(settings, precision=self.precision_percent / 100)
        if self.rounds is not None:
            settings = dataclasses.replace(settings, rounds=self.rounds, fewest_rounds=self.rounds)
        return settings


def run_run(request: Request) -> None:
    """Measure, store, show; exits with 1 if a trial was wrong or failed, with 3 if the run was cut short."""
    earlier = _earlier(request) if request.resume else None
    if earlier:
        request = _as_before(request, earlier.environment)
    everything = open_catalogue(request.project, request.external)
    catalogue = select(everything, request.selection)
    scope = _scope(request, catalogue)
    plan = make_plan(catalogue, scope, request.settings)
    if not (plan.contests or plan.singles or plan.skipped):
        raise Failure("nothing to measure: no case matches --where, --instrument and --device together")
    if earlier:
        plan = plan.without({record.trial.key for record in earlier.records})
    with user_errors():
        writer = RunWriter(earlier.path) if earlier else _new_run(request, everything, scope)
    finished = _carry_out(plan, everything, scope, writer, request, earlier.records if earlier else ())
    with user_errors():
        run = load_run(writer.path)
    page = _write_page(run, everything) if request.report else None
    _conclude(run, catalogue, page, request, finished)


def _earlier(request: Request) -> Run:
    everything = open_catalogue(request.project, request.external)
    with user_errors():
        return resumable(load_run(resolve_run(request.results or everything.project.results, request.resume)))


def _as_before(request: Request, environment: Mapping[str, Any]) -> Request:
    """The request that the run was started with, so that the rest is measured the same way."""
    asked = environment.get("request", {})
    return Request(
        project=request.project,
        selection=tuple(asked.get("selection", ())),
        external=request.external,
        profile=environment["profile"],
        device=asked.get("device", "all"),
        where=tuple(asked.get("where", ())),
        instruments=tuple(asked.get("instruments", ())),
        budget_s=request.budget_s,
        results=request.results,
        resume=request.resume,
        seed=environment["seed"],
        report=request.report,
        as_json=request.as_json,
        pin=asked.get("pin", True),
        precision_percent=asked.get("precision_percent"),
        rounds=asked.get("rounds"),
        cuda_graph=asked.get("cuda_graph", False),
    )


def _scope(request: Request, catalogue: Catalogue) -> Scope:
    devices = choose_devices(request.device, available_devices())
    asked: tuple[InstrumentName, ...] = tuple(
        instrument
        for instrument in INSTRUMENTS
        if instrument in [choose("--instrument", name, INSTRUMENTS) for name in request.instruments]
    )
    return Scope(
        profile=choose_profile(request.profile),
        devices=devices,
        cpu_count=usable_cpus(),
        seed=secrets.randbits(48) if request.seed is None else request.seed,
        instruments=asked or _instruments_with_sensor(devices),
        where=parse_where(request.where, catalogue),
    )


def _instruments_with_sensor(devices: tuple[str, ...]) -> tuple[InstrumentName, ...]:
    """Energy only where some device has a sensor; the environment says why where there is none."""
    from harness.environment import sensor_state

    readable = any(sensor_state(device)["available"] for device in devices)
    return tuple(instrument for instrument in INSTRUMENTS if instrument != "energy" or readable)


def _new_run(request: Request, catalogue: Catalogue, scope: Scope) -> RunWriter:
    environment = describe_environment(catalogue.project.root) | {
        "profile": scope.profile,
        "seed": scope.seed,
        "devices": list(scope.devices),
        "instruments": list(scope.instruments),
        "request": {
            "selection": list(request.selection),
            "device": request.device,
            "where": list(request.where),
            "instruments": list(request.instruments),
            "pin": request.pin,
            "precision_percent": request.precision_percent,
            "rounds": request.rounds,
            "cuda_graph": request.cuda_graph,
        },
        "settings": dataclasses.asdict(request.settings),
        "ceilings": [],
    }
    name = f"{datetime.now(UTC):%Y%m%dt%H%M%S}-{scope.profile}"
    results = request.results or catalogue.project.results
    return RunWriter.create(results, machine_name(environment), name, environment)


def _carry_out(
    plan: Plan,
    catalogue: Catalogue,
    scope: Scope,
    writer: RunWriter,
    request: Request,
    earlier: Sequence[Record],
) -> bool:
    trials = len(list(plan.trials))
    deadline = Deadline(request.budget_s)
    try:
        with WorkerPool(catalogue.project.preload) as pool, TerminalProgress(trials) as progress, user_errors():
            cpus = usable_cpu_numbers() if request.pin else ()
            engine = Engine(catalogue, request.settings, pool, scope.cpu_count, cpus)
            pool.new_server(derive_seed(scope.seed, "server", 0))
            _store_ceilings(plan, engine, progress, writer.path)
            return execute(plan, engine, writer.append, progress, deadline, earlier)
    except KeyboardInterrupt:
        print(
            f"bakeoff: interrupted; every finished trial is kept, go on with: bakeoff run --resume {writer.path.name}",
            file=sys.stderr,
        )
        raise SystemExit(ExitCode.INTERRUPTED) from None
    finally:
        writer.close()


def _store_ceilings(plan: Plan, engine: Engine, progress: TerminalProgress, path: Path) -> None:
    environment = dict(load_run(path).environment)
    if not environment.get("ceilings"):
        write_json(path / "environment.json", environment | {"ceilings": measure_ceilings(plan, engine, progress)})


def _write_page(run: Run, catalogue: Catalogue) -> Path:
    from harness.reporting.page import write_page

    print("writing the page ...", file=sys.stderr)
    return write_page(run, catalogue, catalogue.project.reports)


def _conclude(run: Run, catalogue: Catalogue, page: Path | None, request: Request, finished: bool) -> None:
    from harness.runner.run import count_statuses

    counts = count_statuses(run.records)
    if request.as_json:
        document = {
            "run": run.name,
            "records": len(run.records),
            "results": str(run.path),
            "report": str(page) if page else None,
            "counts": counts,
            "finished": finished,
            "seed": run.environment["seed"],
        }
        print(json.dumps(document, indent=1))
    else:
        from harness.cli.show import show_run

        show_run(run, catalogue)
        print(f"records: {run.path}")
        if page:
            print(f"page:    {page}")
    if not finished:
        print(
            f"bakeoff: the budget ended before the plan; go on with: bakeoff run --resume {run.name}", file=sys.stderr
        )
        raise SystemExit(ExitCode.UNFINISHED)
    if any(status not in ("ok", "unavailable") for status in counts):
        raise SystemExit(ExitCode.FOUND)
