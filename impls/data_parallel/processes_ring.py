"""One process per worker, our own ring all-reduce over shared memory (Patarasuk and Yuan 2009, section 3)."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch

from harness.contract import implements
from impls.building_blocks.data_parallel.model import gather_gradients
from impls.building_blocks.data_parallel.processes import traffic_of, train_in_processes
from impls.building_blocks.data_parallel.rank import Rank
from impls.building_blocks.data_parallel.replica import FlatReplica, FlatSgd
from impls.building_blocks.data_parallel.ring import Ring, RingMember
from suites.data_parallel.suite import SUITE, Settings


class Trainer(FlatReplica):
    """The flat gradients are padded with zeros to a multiple of the number of ranks."""

    def __init__(self, rank: Rank) -> None:
        ranks, count = rank.settings.workers, len(rank.initial_parameters)
        self.padded = torch.zeros(-(-count // ranks) * ranks, dtype=rank.dtype)
        super().__init__(rank, gradients=self.padded[:count])
        self.ring = RingMember(rank.shared, rank.number, rank.traffic)
        self.optimiser = FlatSgd(self.flat, self.gradients, self.settings)

    def step(self, number: int) -> float:
        row_sum = self.backward(number)
        gather_gradients(self.model, self.gradients)
        self.ring.all_reduce(self.padded)
        self.optimiser.step()
        return row_sum


@implements(SUITE, dtypes=("float32", "float64"), counters=traffic_of(Trainer, Ring))
def train(
    features: np.ndarray, targets: np.ndarray, initial_parameters: np.ndarray, settings: Settings
) -> Iterator[Any]:
    yield from train_in_processes(Trainer, Ring, features, targets, initial_parameters, settings)
