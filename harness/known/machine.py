"""What this machine can do at best and how far its figures may be trusted, measured through the engine itself."""

from __future__ import annotations

import dataclasses
import math
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from harness.contract import Case
from harness.discovery import load_catalogue
from harness.environment import usable_cpu_numbers, usable_cpus
from harness.instruments.dispatch import interpreter_start_ms
from harness.known.measure import KnownRatio, measure_known
from harness.known.project import known_project
from harness.plan import Scope, make_plan
from harness.runner.run import Engine
from harness.runner.server import ForkServer
from harness.runner.workers import WorkerPool
from harness.statistics.comparisons import log_ratios
from harness.trials import Trial
from harness.worker.orders import PROCESSES

CEILING_DTYPES = ("float32", "float64")
START_REPEATS = 10
ROUNDS = 5
A_A = dataclasses.replace(PROCESSES, rounds=ROUNDS, fewest_rounds=ROUNDS, precision=0.0)


@dataclass(frozen=True)
class Noise:
    """The same work under two names: their ratio, whose truth is 1, by kind of work.

    :param half_width: half of the 95 % interval of the ratio, over processes.
    :param block_p95: the difference of two neighbouring samples that one in twenty exceeds.
    """

    kind: str
    ratio: float
    half_width: float
    block_p95: float


@dataclass(frozen=True)
class Machine:
    """What was measured.

    :param dispatch_ns: see :func:`harness.instruments.dispatch.measure_dispatch`.
    :param worker_start_ms: from asking for a worker to its first answer, once the fork server runs.
    :param interpreter_start_ms: of a Python that does nothing.
    """

    noise: tuple[Noise, ...]
    ceilings: tuple[dict[str, Any], ...]
    dispatch_ns: dict[str, float]
    worker_start_ms: float
    interpreter_start_ms: float


def measure_machine(seed: int, on_step: Callable[[str], None]) -> Machine:
    """Takes about half a minute."""
    on_step("the same work under two names")
    ratios = measure_known(["second"], A_A, repeats=1, seed=seed, cpus=usable_cpu_numbers())
    on_step("ceilings, calls and the start of workers")
    noise = tuple(_noise(ratio) for ratio in ratios)
    catalogue = load_catalogue(known_project())
    trial = next(make_plan(catalogue, Scope("quick", ("cpu",), 1, seed, instruments=("time",)), PROCESSES).trials)
    with WorkerPool(ForkServer(("numpy", "torch"))) as pool:
        engine = Engine(catalogue, PROCESSES, pool, 1)
        return Machine(
            noise, _ceilings(engine, trial), _dispatch(engine, trial), _start_ms(engine, trial), interpreter_start_ms()
        )


def _noise(ratio: KnownRatio) -> Noise:
    estimate = ratio.estimate(0.95)
    logs = sorted(abs(value) for value in log_ratios(ratio.numerator, ratio.denominator).values())
    return Noise(
        kind=str(ratio.case["kind"]),
        ratio=estimate.value,
        half_width=(estimate.high - estimate.low) / 2,
        block_p95=math.expm1(logs[math.ceil(0.95 * len(logs)) - 1]),
    )


def _ceilings(engine: Engine, trial: Trial) -> tuple[dict[str, Any], ...]:
    wanted = [(dtype, threads) for dtype in CEILING_DTYPES for threads in dict.fromkeys((1, usable_cpus()))]
    replies = [_ask(engine, _bare(trial, dtype, threads), "ceiling") for dtype, threads in wanted]
    return tuple(reply for reply in replies if reply.pop("status") == "ok")


def _dispatch(engine: Engine, trial: Trial) -> dict[str, float]:
    costs: dict[str, float] = _ask(engine, _bare(trial, trial.dtype, 1), "dispatch").get("costs", {})
    return costs


def _start_ms(engine: Engine, trial: Trial) -> float:
    starts_ms = []
    for _ in range(START_REPEATS):
        begin = time.perf_counter()
        worker = engine.pool.start(engine.entry(trial).order)
        worker.ask("hello", PROCESSES.prepare_timeout_s)
        starts_ms.append((time.perf_counter() - begin) * 1e3)
        worker.finish()
    return statistics.median(starts_ms)


def _ask(engine: Engine, trial: Trial, step: str) -> dict[str, Any]:
    worker = engine.pool.start(engine.entry(trial).order)
    reply = worker.ask(step, PROCESSES.prepare_timeout_s)
    worker.finish()
    return reply


def _bare(trial: Trial, dtype: str, threads: int) -> Trial:
    """A trial of no implementation."""
    return dataclasses.replace(trial, implementation="", case=Case(()), dtype=dtype, threads=threads)
