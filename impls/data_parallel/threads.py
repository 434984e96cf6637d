"""One thread per worker in one process: threads compute on one set of parameters, then each sums and updates a part."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import numpy as np
import torch

from harness.contract import implements
from impls.building_blocks.data_parallel.model import gather_gradients, loss_terms
from impls.building_blocks.data_parallel.rank import Rank
from impls.building_blocks.data_parallel.replica import FlatReplica, FlatSgd
from suites.data_parallel.suite import SUITE, Settings


class ThreadTeam:
    """P threads and their replicas, which are views of the same parameters with gradients of their own.

    Nothing is replicated or gathered: what nn.DataParallel copies between devices lies here in memory that all
    threads see, so that what remains between the threads is the interpreter lock.
    """

    def __init__(
        self, features: np.ndarray, targets: np.ndarray, initial_parameters: np.ndarray, settings: Settings
    ) -> None:
        workers, count = settings.workers, len(initial_parameters)
        self.flat = torch.from_numpy(initial_parameters.copy())
        self.gradients = self.flat.new_zeros((workers, count))
        self.row_sums = np.empty((workers, settings.steps))
        self.barrier = Barrier(workers)
        self.replicas = [
            FlatReplica(Rank(number, settings, features, targets, initial_parameters), self.flat, gradients)
            for number, gradients in enumerate(self.gradients)
        ]
        parts = [slice(number * count // workers, (number + 1) * count // workers) for number in range(workers)]
        self.addends = [list(self.gradients[:, part]) for part in parts]
        self.optimisers = [
            FlatSgd(self.flat[part], addends[0], settings) for part, addends in zip(parts, self.addends, strict=True)
        ]
        # Threads started from now on take over the number of threads that one operation may use.
        self._threads_before = torch.get_num_threads()
        torch.set_num_threads(1)
        self.pool = ThreadPoolExecutor(workers)
        self.run(0, 0)

    def run(self, first: int, last: int) -> None:
        """Train steps ``first`` to ``last`` - 1."""
        parts = [self.pool.submit(self._train, number, first, last) for number in range(len(self.replicas))]
        for part in parts:
            part.result()

    def stop(self) -> None:
        self.pool.shutdown()
        torch.set_num_threads(self._threads_before)

    def _train(self, number: int, first: int, last: int) -> None:
        replica, addends = self.replicas[number], self.addends[number]
        try:
            self.barrier.wait()
            for step in range(first, last):
                self.row_sums[number, step] = replica.backward(step)
                gather_gradients(replica.model, replica.gradients)
                self.barrier.wait()
                for addend in addends[1:]:
                    addends[0].add_(addend)
                self.optimisers[number].step()
                self.barrier.wait()
        except BaseException:
            self.barrier.abort()
            raise


@implements(SUITE, dtypes=("float32", "float64"))
def train(
    features: np.ndarray, targets: np.ndarray, initial_parameters: np.ndarray, settings: Settings
) -> Iterator[Any]:
    team = ThreadTeam(features, targets, initial_parameters, settings)
    try:
        yield
        team.run(0, settings.warm_up_steps)
        yield
        team.run(settings.warm_up_steps, settings.steps)
        parameters, losses = team.flat.numpy(), team.row_sums.sum(axis=0) / loss_terms(settings)
        yield parameters, losses, np.broadcast_to(parameters, (settings.workers, len(parameters)))
    finally:
        team.stop()
