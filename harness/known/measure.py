"""Known work through the whole engine: what it says of two that are the same, and of one that does a twentieth more."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from harness.claims.observations import Measurements
from harness.contract import TOTAL, Case
from harness.discovery import load_catalogue
from harness.known.project import known_project
from harness.known.suites.same.suite import PASSES
from harness.needs import Need
from harness.plan import Plan, Scope, make_plan
from harness.records import Record
from harness.runner.run import Engine, Progress, execute
from harness.runner.server import ForkServer
from harness.runner.workers import Deadline, WorkerPool
from harness.seeds import derive_seed
from harness.statistics import Estimate, Observations, paired_ratio
from harness.worker.orders import Settings

SUITE, BASELINE = "same", "first"


@dataclass(frozen=True)
class KnownRatio:
    """One case's cost of ``implementation`` over that of the baseline, of which the truth is known."""

    case: Case
    implementation: str
    numerator: Observations
    denominator: Observations

    @property
    def truth(self) -> float:
        return 1.05 if self.implementation == "slower" else 1.0

    def estimate(self, confidence: float) -> Estimate:
        return paired_ratio(self.numerator, self.denominator, confidence)


class Silent:
    """Progress that nobody watches."""

    def step(self, text: str) -> None:
        return None

    def advance(self, trials: int) -> None:
        return None


def measure_known(
    implementations: Sequence[str],
    settings: Settings,
    *,
    repeats: int,
    seed: int,
    cpus: tuple[int, ...],
    progress: Progress | None = None,
) -> list[KnownRatio]:
    """Time the implementations against the baseline, each kind of work ``repeats`` times over, up to 70."""

    def wanted(case: Case) -> bool:
        return case["passes"] == 1 and int(case["repeat"]) < repeats

    names = (BASELINE, *implementations)
    cases, found = _measure(names, wanted, settings, seed, cpus, progress)
    return [
        KnownRatio(case, name, _costs(found, case, name), _costs(found, case, BASELINE))
        for case in cases
        for name in implementations
    ]


def measure_costs(
    kind: str,
    settings: Settings,
    *,
    seed: int,
    cpus: tuple[int, ...],
    server: ForkServer | None = None,
) -> Observations:
    """Nanoseconds by round and block of as many passes of one kind of work as :data:`PASSES` has, measured alone.

    :param server: one that was started before, with a seed of its own.
    """

    def wanted(case: Case) -> bool:
        return (case["kind"], case["passes"], case["repeat"]) == (kind, PASSES[kind], 0)

    (case,), found = _measure((BASELINE,), wanted, settings, seed, cpus, None, server)
    return _costs(found, case, BASELINE)


def _measure(
    names: Sequence[str],
    wanted: Callable[[Case], bool],
    settings: Settings,
    seed: int,
    cpus: tuple[int, ...],
    progress: Progress | None,
    server: ForkServer | None = None,
) -> tuple[list[Case], Measurements]:
    project = known_project()
    records: list[Record] = []
    if server is None:
        server = ForkServer(project.preload)
        server.start_anew(derive_seed(seed, "server", 0))  # it imports what workers need while this process plans
    with WorkerPool(server) as pool:
        everything = load_catalogue(project)
        catalogue = everything.select([f"{SUITE}/{name}" for name in names])
        plan = make_plan(catalogue, Scope("full", ("cpu",), 1, seed, instruments=("time",)), settings)
        plan = Plan(tuple(contest for contest in plan.contests if wanted(contest[0].case)), (), ())
        engine = Engine(everything, settings, pool, max(1, len(cpus)), cpus)
        execute(plan, engine, records.extend, progress or Silent(), Deadline(None))
    return list(dict.fromkeys(contest[0].case for contest in plan.contests)), Measurements(records, {})


def _costs(found: Measurements, case: Case, implementation: str) -> Observations:
    return found.costs(SUITE, Need(implementation, case, "time", "float64"), TOTAL)
