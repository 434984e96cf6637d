"""One process per worker on one set of parameters in shared memory: each rank sums and updates its part of them.

The reduce-scatter reads the other ranks' gradients where they are, the optimiser's state is divided among the ranks
(ZeRO stage 1, Rajbhandari et al. 2020), and the all-gather is left out since the updated parameters are everybody's.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch

from harness.contract import implements
from impls.building_blocks.data_parallel.model import gather_gradients
from impls.building_blocks.data_parallel.processes import traffic_of, train_in_processes
from impls.building_blocks.data_parallel.rank import Rank
from impls.building_blocks.data_parallel.replica import FlatReplica, FlatSgd
from impls.building_blocks.ranks.memory import shared_array
from impls.building_blocks.ranks.signals import Barrier
from suites.data_parallel.suite import SUITE, Settings


class SharedTraining:
    """The parameters, the gradients of every rank, and a barrier."""

    def __init__(self, settings: Settings, dtype: np.dtype) -> None:
        self.parameters = torch.from_numpy(shared_array((settings.parameter_count,), dtype))
        self.gradients = torch.from_numpy(shared_array((settings.workers, settings.parameter_count), dtype))
        self.barrier = Barrier(settings.workers)

    def close(self) -> None:
        self.barrier.close()


class Trainer(FlatReplica):
    """Between the first barrier and the second a rank reads all gradients of its part and writes the parameters."""

    def __init__(self, rank: Rank) -> None:
        shared, count, ranks = rank.shared, rank.settings.parameter_count, rank.settings.workers
        super().__init__(rank, shared.parameters, shared.gradients[rank.number])
        if rank.number == 0:
            self.flat.copy_(torch.from_numpy(rank.initial_parameters))
        part = slice(rank.number * count // ranks, (rank.number + 1) * count // ranks)
        self.addends = list(shared.gradients[:, part])
        self.optimiser = FlatSgd(self.flat[part], self.addends[0], self.settings)
        shared.barrier.wait(rank.number)

    def step(self, number: int) -> float:
        row_sum = self.backward(number)
        gather_gradients(self.model, self.gradients)
        self.rank.shared.barrier.wait(self.rank.number)
        for addend in self.addends[1:]:
            self.rank.traffic.reduced(addend)
            self.addends[0].add_(addend)
        self.optimiser.step()
        self.rank.shared.barrier.wait(self.rank.number)
        return row_sum


@implements(SUITE, dtypes=("float32", "float64"), counters=traffic_of(Trainer, SharedTraining))
def train(
    features: np.ndarray, targets: np.ndarray, initial_parameters: np.ndarray, settings: Settings
) -> Iterator[Any]:
    yield from train_in_processes(Trainer, SharedTraining, features, targets, initial_parameters, settings)
