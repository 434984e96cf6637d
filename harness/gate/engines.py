"""The engines of the two sides over one pool of workers."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Literal

from harness.gate.sides import Side
from harness.runner.contest import Circumstances, Entry
from harness.runner.run import Engine
from harness.runner.workers import WorkerPool
from harness.trials import Trial
from harness.worker.orders import PROCESSES, Settings

SideName = Literal["base", "head"]
SIDES: tuple[SideName, ...] = ("base", "head")

# Short samples that alternate often, in many processes: within one process more of them say no more (MEASURING.md).
GATE = dataclasses.replace(PROCESSES, rounds=1, fewest_rounds=1, blocks=28, precision=0.0, sample_target_ns=1e6)


class Engines:
    """Makes contestants out of trials that both sides have.

    :param cpus: CPUs that contestants with one thread are kept on.
    :param parallel: how many workers may be busy while nothing is timed.
    """

    def __init__(
        self, base: Side, head: Side, settings: Settings, pool: WorkerPool, parallel: int, cpus: tuple[int, ...]
    ) -> None:
        self.pool = pool
        self.rounds_per_server = settings.rounds_per_server
        self.parallel = parallel
        self._sides: Mapping[SideName, Side] = {"base": base, "head": head}
        self._engines = {
            name: Engine(side.catalogue, settings, pool, parallel, cpus) for name, side in self._sides.items()
        }

    def entry(self, side: SideName, trial: Trial, memory: Trial | None = None) -> Entry:
        """A contestant that imports from its own side's checkout; records name the side as its origin."""
        entry = self._engines[side].entry(trial)
        own = self._sides[side]
        python = own.environment.python if own.environment else ""
        order = dataclasses.replace(entry.order, path=own.path, python=python)
        return dataclasses.replace(entry, order=order, origin=side, memory=memory)

    def circumstances(self, trial: Trial) -> Circumstances:
        """Both go on for as long as the other does."""
        return dataclasses.replace(self._engines["head"].circumstances(trial), baseline="")
