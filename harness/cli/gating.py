"""``bakeoff gate``."""

from __future__ import annotations

import json
import secrets
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from harness.cli.gate_table import show_findings
from harness.cli.interrupting import stop_on_interrupt
from harness.cli.outcome import ExitCode, Failure, choose, user_errors
from harness.cli.progress import TerminalProgress
from harness.cli.selecting import choose_devices, choose_profile, open_project, parse_where
from harness.environment import available_devices, sensor_state, usable_cpu_numbers, usable_cpus
from harness.gate.dependencies import environment_differences
from harness.gate.environments import Environment, InstallationError, install, requirements
from harness.gate.gating import Course, gate
from harness.gate.git import RepositoryError, RevisionError, find_repository
from harness.gate.junit import to_junit
from harness.gate.markdown import to_markdown
from harness.gate.results import Fault, Findings
from harness.gate.revisions import Checkout, check_out
from harness.gate.rules import GATED, read_rules
from harness.gate.selection import select
from harness.gate.sides import Side, SideError, load_side
from harness.plan import Scope
from harness.runner.server import ForkServer
from harness.runner.workers import Deadline, WorkerPool
from harness.trials import InstrumentName

_PERCENT = 100.0


@dataclass(frozen=True)
class Request:
    """What the user asked for."""

    project: Path
    selection: tuple[str, ...]
    base: str
    head: str
    threshold_percent: float | None
    budget_s: float | None
    everything: bool
    profile: str
    device: str
    where: tuple[str, ...]
    instruments: tuple[str, ...]
    install: bool
    noise: bool
    seed: int | None
    junit: Path | None
    markdown: Path | None
    strict: bool
    as_json: bool


def run_gate(request: Request) -> None:
    """Exits with 1 if head is slower or broken, with 3 if that could not be told, with 4 as ``--strict`` asks."""
    for name in request.instruments:
        choose("--instrument", name, GATED)
    for file in (request.junit, request.markdown):
        if file is not None and not file.absolute().parent.is_dir():
            raise Failure(f"{file} cannot be written: there is no folder {file.absolute().parent}")
    deadline = Deadline(request.budget_s)
    try:
        findings = _find(request, deadline)
    except RevisionError as error:
        raise Failure(str(error)) from error
    except RepositoryError as error:
        raise Failure(str(error), ExitCode.UNFINISHED) from error
    except KeyboardInterrupt:
        deadline.stop()
        findings = None
    if findings is not None:
        _tell(findings, request)
    if deadline.stopped or findings is None:
        print("bakeoff: interrupted; what is undecided was not measured to its end", file=sys.stderr)
        raise SystemExit(ExitCode.INTERRUPTED)
    raise SystemExit(exit_code(findings, request.strict))


def exit_code(findings: Findings, strict: bool) -> ExitCode:
    if findings.verdict == "slower":
        return ExitCode.FOUND
    nothing = findings.chosen and not findings.compared and findings.broken_before
    if findings.hindered or nothing:
        return ExitCode.UNFINISHED
    if strict and findings.verdict == "undecided":
        return ExitCode.UNDECIDED
    return ExitCode.OK


def _find(request: Request, deadline: Deadline) -> Findings:
    root = open_project(request.project).root
    top = find_repository(root)
    with check_out(root, request.base, request.head) as (before, after):
        environments = _environments(before, after, root, deadline) if request.install else (None, None)
        try:
            base = load_side("base", before, top, environments[0])
            head = load_side("head", after, top, environments[1])
        except SideError as error:
            return _unreadable(before, after, error)
        return _compare(base, head, request, deadline)


def _environments(
    base: Checkout, head: Checkout, root: Path, deadline: Deadline
) -> tuple[Environment, Environment] | tuple[None, None]:
    """One of its own for each side where they ask for other packages, in a form that pip reads."""
    begin_s = time.monotonic()
    try:
        wanted = [requirements(side) for side in (base, head)]
        if not environment_differences(base, head) or not all(wanted):
            return None, None
        found = [
            install(side, words, root, lambda step: print(f"bakeoff: {step}", file=sys.stderr))
            for side, words in zip((base, head), wanted, strict=True)
        ]
    except InstallationError as error:
        hint = "--no-install measures both in the environment that runs"
        raise Failure(f"{error}; {hint}", ExitCode.UNFINISHED) from error
    deadline.postpone(time.monotonic() - begin_s)
    return found[0], found[1]


def _compare(base: Side, head: Side, request: Request, deadline: Deadline) -> Findings:
    with user_errors():
        rules = read_rules(head.project)
        selection = select(base, head, request.selection, request.everything)
    if request.threshold_percent is not None:
        rules = rules.with_time_threshold(request.threshold_percent / _PERCENT)
    course = Course(
        scope=_scope(request, head),
        rules=rules,
        cpus=usable_cpu_numbers(),
        deadline=deadline,
        noise=request.noise,
        today=date.today(),
    )
    stages = _Stages()

    @contextmanager
    def new_pool(preload: Sequence[str]) -> Iterator[WorkerPool]:
        with WorkerPool(ForkServer(preload)) as pool, stop_on_interrupt(deadline, pool):
            yield pool

    try:
        return gate(base, head, selection, course, stages.begin, new_pool)
    finally:
        stages.end()


def _unreadable(before: Checkout, after: Checkout, error: SideError) -> Findings:
    """A head that cannot be read is broken by the change; about a base that cannot be read nothing can be said."""
    if error.side == "base":
        raise Failure(
            f"base, {before.description}, cannot be read, so there is nothing to compare with: {error}",
            ExitCode.UNFINISHED,
        )
    return Findings(before.description, after.description, broken=(Fault("", "", "", "failed", str(error)),))


def _scope(request: Request, head: Side) -> Scope:
    devices = choose_devices(request.device, available_devices())
    readable = any(sensor_state(device)["available"] for device in devices)
    asked: tuple[InstrumentName, ...] = tuple(name for name in GATED if name in request.instruments)
    default: tuple[InstrumentName, ...] = tuple(name for name in GATED if name != "energy" or readable)
    return Scope(
        profile=choose_profile(request.profile),
        devices=devices,
        cpu_count=usable_cpus(),
        seed=secrets.randbits(48) if request.seed is None else request.seed,
        instruments=asked or default,
        where=parse_where(request.where, head.catalogue),
    )


def _tell(findings: Findings, request: Request) -> None:
    if request.as_json:
        print(json.dumps(findings.to_json(), indent=1))
    else:
        show_findings(findings)
    for file, text in ((request.markdown, to_markdown), (request.junit, to_junit)):
        if file is None:
            continue
        try:
            file.write_text(text(findings), encoding="utf-8")
        except OSError as error:
            raise Failure(f"{file} cannot be written: {error.strerror}", ExitCode.UNFINISHED) from error


class _Stages:
    """One line of progress after another."""

    def __init__(self) -> None:
        self._now: TerminalProgress | None = None

    def begin(self, total: int) -> TerminalProgress:
        self.end()
        self._now = TerminalProgress(total)
        return self._now.__enter__()

    def end(self) -> None:
        if self._now is not None:
            self._now.__exit__(None, None, None)
            self._now = None
