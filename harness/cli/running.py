"""``bakeoff run``."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.cli.interrupting import stop_on_interrupt
from harness.cli.outcome import ExitCode, Failure, user_errors
from harness.cli.progress import TerminalProgress
from harness.cli.request import Request, as_before, environment_of, scope_of
from harness.cli.selecting import open_catalogue, select
from harness.discovery import Catalogue
from harness.environment import machine_name, usable_cpu_numbers
from harness.fingerprint import Fingerprints, same_environment
from harness.loading import Run, load_run, next_run_name, resolve_run, resumable
from harness.plan import Plan, Scope, make_plan
from harness.runner.resuming import Remainder, remainder
from harness.runner.run import Engine, execute, measure_ceilings
from harness.runner.server import ForkServer
from harness.runner.workers import Deadline, WorkerPool
from harness.seeds import derive_seed
from harness.store import RunWriter


@dataclass(frozen=True)
class _Task:
    """A request on this machine.

    :param everything: all implementations, those that were not selected included.
    """

    request: Request
    everything: Catalogue
    selected: Catalogue
    scope: Scope
    plan: Plan
    environment: Mapping[str, Any]
    fingerprints: Fingerprints

    @property
    def results(self) -> Path:
        return self.request.results or self.everything.project.results


def run_run(request: Request) -> None:
    """Measure, store, show; exits with 1 if a trial was wrong or failed, with 3 if the run was cut short."""
    path = None
    if request.resume:
        everything = open_catalogue(request.project, request.external)
        with user_errors():
            path = resolve_run(request.results or everything.project.results, request.resume)
            request = as_before(request, resumable(load_run(path)).environment)
    task = _task(request)
    if request.dry_run:
        from harness.cli.dry_run import show_remainder

        with user_errors():
            show_remainder(_remainder(task, load_run(path) if path else None), request.as_json)
        return
    with user_errors():
        writer, left = _go_on(task, path) if path else _begin(task)
    finished = _carry_out(task, left, writer)
    with user_errors():
        run = load_run(writer.path)
    page = write_page(run, task.everything) if request.report else None
    _conclude(run, task.selected, page, request, finished)


def repeat(request: Request) -> tuple[Run, bool]:
    """Measure and store a request that was carried out before; the new run, and whether it was finished."""
    task = _task(request)
    with user_errors():
        writer, left = _begin(task)
    finished = _carry_out(task, left, writer)
    with user_errors():
        return load_run(writer.path), finished


def _task(request: Request) -> _Task:
    everything = open_catalogue(request.project, request.external)
    selected = select(everything, request.selection)
    scope = scope_of(request, selected)
    plan = make_plan(selected, scope, request.settings)
    if not (plan.contests or plan.singles or plan.skipped):
        raise Failure("nothing to measure: no case matches --where, --instrument and --device together")
    environment = environment_of(request, everything, scope)
    fingerprints = Fingerprints(everything, request.settings, environment)
    return _Task(request, everything, selected, scope, plan, environment, fingerprints)


def _remainder(task: _Task, run: Run | None) -> Remainder:
    return remainder(task.plan, run.records if run else (), task.fingerprints.of, task.request.settings)


def _begin(task: _Task) -> tuple[RunWriter, Remainder]:
    name = next_run_name(task.results, task.scope.profile)
    writer = RunWriter.create(task.results, machine_name(task.environment), name, task.environment)
    return writer, _remainder(task, None)


def _go_on(task: _Task, path: Path) -> tuple[RunWriter, Remainder]:
    """Take up a run; what no longer holds, or cannot be read, is put aside and measured again."""
    writer = RunWriter(path, load_run(path).environment)
    run = load_run(path)  # as it is now that nobody else writes
    left = _remainder(task, run)
    if left.superseded or run.warnings:
        writer.start_over_from(left.kept)
    if not same_environment(run.environment, task.environment):
        writer.describe(task.environment)
    return writer, left


def _carry_out(task: _Task, left: Remainder, writer: RunWriter) -> bool:
    project, request = task.everything.project, task.request
    deadline = Deadline(request.budget_s)
    trials = len(list(left.plan.trials))
    try:
        with (
            WorkerPool(ForkServer(project.preload)) as pool,
            TerminalProgress(trials) as progress,
            user_errors(),
            stop_on_interrupt(deadline, pool),
        ):
            cpus = usable_cpu_numbers() if request.pin else ()
            parallel = task.scope.cpu_count
            engine = Engine(task.everything, request.settings, pool, parallel, cpus, task.fingerprints.of)
            pool.new_server(derive_seed(task.scope.seed, "server", 0))
            _store_ceilings(task.plan, engine, progress, writer)
            finished = execute(left.plan, engine, writer.append, progress, deadline, left.kept)
    except KeyboardInterrupt:
        deadline.stop()
        finished = False
    finally:
        writer.close()
    if deadline.stopped and not finished:
        print(
            f"bakeoff: interrupted; every finished trial is kept, go on with: bakeoff run --resume {writer.path.name}",
            file=sys.stderr,
        )
        raise SystemExit(ExitCode.INTERRUPTED)
    return finished


def _store_ceilings(plan: Plan, engine: Engine, progress: TerminalProgress, writer: RunWriter) -> None:
    if not writer.environment.get("ceilings"):
        writer.describe({**writer.environment, "ceilings": measure_ceilings(plan, engine, progress)})


def write_page(run: Run, catalogue: Catalogue) -> Path:
    """The page of a run, with what earlier ones beside it say of the same workloads."""
    from harness.history.earlier import earlier_runs
    from harness.reporting import page

    print("writing the page ...", file=sys.stderr)
    results = run.path.parent.parent  # that of --results, where it was given
    return page.write_page(run, catalogue, catalogue.project.reports, earlier_runs(run, results))


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
