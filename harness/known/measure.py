"""Known work through the whole engine: what it says of two that are the same, and of one that does a twentieth more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.claims.observations import Measurements
from harness.contract import TOTAL, Case
from harness.discovery import load_catalogue
from harness.known.project import known_project
from harness.needs import Need
from harness.plan import Scope, make_plan
from harness.records import Record
from harness.runner.run import Engine, Progress, execute
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
    everything = load_catalogue(known_project())
    catalogue = everything.select([f"{SUITE}/{name}" for name in (BASELINE, *implementations)])
    scope = Scope("full", ("cpu",), 1, seed, instruments=("time",))
    plan = make_plan(catalogue, scope, settings)
    wanted = tuple(contest for contest in plan.contests if int(contest[0].case["repeat"]) < repeats)
    plan = type(plan)(wanted, (), ())
    records: list[Record] = []
    with WorkerPool(everything.project.preload) as pool:
        pool.new_server(derive_seed(seed, "server", 0))
        engine = Engine(everything, settings, pool, max(1, len(cpus)), cpus)
        execute(plan, engine, records.append, progress or Silent(), Deadline(None))
    found = Measurements(records, {})
    cases = dict.fromkeys(contest[0].case for contest in wanted)
    return [
        KnownRatio(
            case,
            name,
            found.costs(SUITE, Need(name, case, "time", "float64"), TOTAL),
            found.costs(SUITE, Need(BASELINE, case, "time", "float64"), TOTAL),
        )
        for case in cases
        for name in implementations
    ]
