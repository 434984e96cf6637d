"""Carrying out a plan: contests one after another, single trials side by side, every record stored as it comes."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import Any, Protocol

from harness.contract import Case
from harness.discovery import Catalogue, Listing
from harness.discovery.catalogue import suite_module
from harness.plan import Plan
from harness.records import Record
from harness.runner.contest import Circumstances, Entry, run_contest
from harness.runner.rounds import Standings
from harness.runner.single import run_single
from harness.runner.workers import Deadline, WorkerPool
from harness.seeds import derive_seed
from harness.trials import Trial
from harness.worker.orders import Module, Order, Settings

Store = Callable[[Sequence[Record]], None]


class Progress(Protocol):
    """Told what runs and how many trials are done."""

    def step(self, text: str) -> None: ...

    def advance(self, trials: int) -> None: ...


@dataclasses.dataclass(frozen=True)
class Engine:
    """What turns trials into orders for workers.

    :param parallel: how many workers may be busy at the same time while nothing is timed.
    :param cpus: the CPUs on which contestants with one thread may be kept while they are timed; none: they are not.
    :param fingerprint: what a trial's result depends on; records carry it.
    """

    catalogue: Catalogue
    settings: Settings
    pool: WorkerPool
    parallel: int
    cpus: tuple[int, ...] = ()
    fingerprint: Callable[[Trial], Mapping[str, str]] = dataclasses.field(default=lambda trial: {})

    def entry(self, trial: Trial) -> Entry:
        suite = self.catalogue.suites[trial.suite]
        listing = self.catalogue.find(trial.suite, trial.implementation) if trial.implementation else None
        project = self.catalogue.project
        order = Order(
            trial=trial,
            root=str(project.root),
            packages=project.packages,
            suite_module=suite_module(project, trial.suite),
            code=_module(listing) if listing else None,
            naive=self._naive(trial.suite),
            shared_code=self.catalogue.shared_code_hash,
            settings=dataclasses.replace(
                self.settings, contestant_s=min(self.settings.contestant_s, suite.contestant_s)
            ),
            bare=suite.bare_workers,
        )
        timeout_s = suite.probes[trial.probe].timeout_s if trial.instrument == "probe" else suite.call_timeout_s
        return Entry(order, listing.origin if listing else "project", timeout_s)

    def circumstances(self, trial: Trial) -> Circumstances:
        """Contestants with one thread share one CPU, another one in each round: CPUs of one machine differ.

        Answers are checked again after timing in the first round of every server: in its later ones the same code runs
        with the same hash seed.
        """
        suite = self.catalogue.suites[trial.suite]
        cpu = None
        if self.cpus and trial.device == "cpu" and trial.threads == 1 and not suite.several_cpus:
            cpu = self.cpus[derive_seed(trial.seed, "cpu", *trial.workload, trial.round) % len(self.cpus)]
        first_of_server = trial.round % self.settings.rounds_per_server == 0
        return Circumstances(self.parallel, cpu, suite.baseline, verify=first_of_server)

    def _naive(self, suite: str) -> Module | None:
        name = self.catalogue.suites[suite].naive
        return next((_module(listing) for listing in self.catalogue.of(suite) if listing.name == name), None)


def execute(
    plan: Plan,
    engine: Engine,
    store: Store,
    progress: Progress,
    deadline: Deadline,
    earlier: Iterable[Record] = (),
) -> bool:
    """Run the plan and hand ``store`` the records that belong together; whether it was finished before the deadline.

    :param earlier: what an interrupted run has measured already.
    """
    standings = Standings(engine.settings, earlier)

    def keep(records: Sequence[Record]) -> None:
        for record in records:
            standings.take(record)
        store([dataclasses.replace(record, fingerprint=engine.fingerprint(record.trial)) for record in records])

    for skip in plan.skipped:
        keep([Record(skip.trial, "unavailable", skip.reason, _origin(engine, skip.trial))])
    memory = {trial for trial in plan.singles if trial.instrument == "memory"}
    for number, contests in enumerate(plan.rounds):
        if number and number % engine.settings.rounds_per_server == 0:
            engine.pool.new_server(derive_seed(_seed_of(plan), "server", number))
        for contest in contests:
            left = standings.left(contest)
            progress.advance(len(contest) - len(left))
            if left and not _contest(left, memory, engine, keep, progress, deadline):
                return False
        if number == 0:
            singles = [trial for trial in plan.singles if not standings.has(trial)]
            if not _singles(singles, engine, keep, progress, deadline):
                return False
    return bool(plan.rounds) or _singles(plan.singles, engine, keep, progress, deadline)


def measure_ceilings(plan: Plan, engine: Engine, progress: Progress) -> list[dict[str, Any]]:
    """The machine's best rates for every device, dtype and number of threads that the plan times."""
    ceilings = []
    seen: set[tuple[str, str, int]] = set()
    for contest in plan.contests:
        trial = contest[0]
        workload = (trial.device, trial.dtype, trial.threads)
        if workload in seen or engine.catalogue.suites[trial.suite].work is None:
            continue
        seen.add(workload)
        progress.step(f"ceilings of this machine: {trial.dtype}, {trial.threads} thread(s), {trial.device}")
        bare = dataclasses.replace(trial, implementation="", case=Case(()))
        worker = engine.pool.start(engine.entry(bare).order)
        reply = worker.ask("ceiling", engine.settings.prepare_timeout_s)
        worker.finish()
        if reply.pop("status") == "ok":
            ceilings.append(reply)
    return ceilings


def _contest(
    contest: tuple[Trial, ...],
    memory: Set[Trial],
    engine: Engine,
    store: Store,
    progress: Progress,
    deadline: Deadline,
) -> bool:
    """Run one contest, with those of the ``memory`` trials that are of its contestants; not after the deadline."""
    if deadline.passed:
        return False
    trial = contest[0]
    what = f"{trial.suite} {trial.case.label} {trial.dtype} (round {trial.round + 1})"
    entries = [dataclasses.replace(engine.entry(trial), memory=_memory_of(trial, memory)) for trial in contest]
    records = run_contest(
        entries, engine.pool, engine.circumstances(trial), lambda step: progress.step(f"{what}: {step}")
    )
    store(records)
    progress.advance(len(records))
    return True


def _singles(
    trials: Iterable[Trial],
    engine: Engine,
    store: Store,
    progress: Progress,
    deadline: Deadline,
) -> bool:
    """Memory and probes are counts that neighbours do not disturb, so they run side by side; energy runs alone."""

    def run(trial: Trial) -> Record:
        return run_single(engine.entry(trial), engine.pool)

    def one(trial: Trial) -> Record | None:
        return None if deadline.passed else run(trial)

    together = [trial for trial in trials if trial.instrument != "energy"]
    finished = True
    progress.step("probes and remaining peak memory")
    with ThreadPoolExecutor(max_workers=max(1, engine.parallel)) as executor:
        for future in as_completed([executor.submit(one, trial) for trial in together]):
            record = future.result()
            if record is None:
                finished = False
                continue
            store([record])
            progress.advance(1)
    for trial in trials:
        if trial.instrument == "energy" and not deadline.passed:
            progress.step(f"energy of {trial.suite}/{trial.implementation} {trial.case.label}")
            store([run(trial)])
            progress.advance(1)
    return finished and not deadline.passed


def _memory_of(trial: Trial, memory: Set[Trial]) -> Trial | None:
    """The trial among ``memory`` that measures the same contestant on the same workload."""
    wanted = dataclasses.replace(trial, instrument="memory")  # of round 0, as every single trial
    return wanted if wanted in memory else None


def _seed_of(plan: Plan) -> int:
    return next(plan.trials).seed


def _module(listing: Listing) -> Module:
    return Module(listing.module, str(listing.path))


def _origin(engine: Engine, trial: Trial) -> str:
    return engine.catalogue.find(trial.suite, trial.implementation).origin if trial.implementation else "project"


def count_statuses(records: Iterable[Record]) -> Mapping[str, int]:
    counts: dict[str, int] = {}
    for record in records:
        counts[record.status] = counts.get(record.status, 0) + 1
    return counts
