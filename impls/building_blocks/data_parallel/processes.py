"""Ranks as forked processes that train in step and leave their results in shared memory.

Autograd runs in the ranks only: torch refuses a backward pass in a fork of a process whose autograd has started device
threads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch

from impls.building_blocks.data_parallel.model import loss_terms
from impls.building_blocks.data_parallel.rank import MakeTrainer, MakeTransport, Rank
from impls.building_blocks.ranks.memory import shared_array
from impls.building_blocks.ranks.team import Obey, RankTeam
from suites.data_parallel.settings import Settings


class RankProcesses:
    """P forked ranks that train the same steps when told to.

    :ivar traffic: (workers, steps, 3) calls, payload bytes and sent bytes of every step.
    """

    def __init__(
        self,
        make_trainer: MakeTrainer,
        make_transport: MakeTransport,
        features: np.ndarray,
        targets: np.ndarray,
        initial_parameters: np.ndarray,
        settings: Settings,
    ) -> None:
        ranks = settings.workers
        self._settings, self._make_trainer = settings, make_trainer
        self._data = (features, targets, initial_parameters)
        self._row_sums = shared_array((ranks, settings.steps), np.float64)
        self._parameters = shared_array((ranks, len(initial_parameters)), initial_parameters.dtype)
        self.traffic = shared_array((ranks, settings.steps, 3), np.int64)
        self._transport = make_transport(settings, initial_parameters.dtype)
        self._team = RankTeam(ranks, self._enter)

    def start(self) -> None:
        """Fork the ranks and wait until each has its replica and its connections."""
        self._team.start()

    def run(self, first: int, last: int) -> None:
        """Train steps ``first`` to ``last`` - 1 on every rank; after the last of all steps results are there."""
        self._team.run(first, last)

    def results(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Parameters (parameter_count,), losses (steps,) and parameters of every rank (workers, parameter_count)."""
        losses = self._row_sums.sum(axis=0) / loss_terms(self._settings)
        return self._parameters[0], losses, self._parameters

    def stop(self) -> None:
        """End the ranks."""
        self._team.stop()
        self._transport.close()

    def _enter(self, number: int) -> Obey:
        torch.set_num_threads(1)
        rank = Rank(number, self._settings, *self._data, shared=self._transport)
        trainer = self._make_trainer(rank)

        def train(first: int, last: int) -> None:
            for step in range(first, last):
                before = rank.traffic.calls, rank.traffic.payload_bytes, rank.traffic.sent_bytes
                self._row_sums[number, step] = trainer.step(step)
                after = rank.traffic.calls, rank.traffic.payload_bytes, rank.traffic.sent_bytes
                self.traffic[number, step] = np.subtract(after, before)
            if last == self._settings.steps:
                self._parameters[number] = trainer.parameters()

        return train


def train_in_processes(
    make_trainer: MakeTrainer,
    make_transport: MakeTransport,
    features: np.ndarray,
    targets: np.ndarray,
    initial_parameters: np.ndarray,
    settings: Settings,
) -> Iterator[Any]:
    """The phases of one call: start the ranks, warm up, train and deliver; the ranks end with the generator."""
    ranks = RankProcesses(make_trainer, make_transport, features, targets, initial_parameters, settings)
    try:
        ranks.start()
        yield
        ranks.run(0, settings.warm_up_steps)
        yield
        ranks.run(settings.warm_up_steps, settings.steps)
        yield ranks.results()
    finally:
        ranks.stop()


def traffic_of(make_trainer: MakeTrainer, make_transport: MakeTransport) -> Callable[..., np.ndarray]:
    """A function that trains and returns the traffic of every rank and step instead of the results."""

    def count(
        features: np.ndarray, targets: np.ndarray, initial_parameters: np.ndarray, settings: Settings
    ) -> np.ndarray:
        """(workers, steps, 3): calls, payload bytes, sent bytes."""
        ranks = RankProcesses(make_trainer, make_transport, features, targets, initial_parameters, settings)
        try:
            ranks.start()
            ranks.run(0, settings.steps)
            return ranks.traffic
        finally:
            ranks.stop()

    return count
