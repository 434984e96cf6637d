"""One process per worker, all gradients in one all-reduce after the backward pass (gloo)."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch.distributed as dist

from harness.contract import implements
from impls.building_blocks.data_parallel.gloo import Rendezvous
from impls.building_blocks.data_parallel.model import gather_gradients
from impls.building_blocks.data_parallel.processes import traffic_of, train_in_processes
from impls.building_blocks.data_parallel.rank import Rank
from impls.building_blocks.data_parallel.replica import FlatReplica, FlatSgd
from suites.data_parallel.suite import SUITE, Settings


class Trainer(FlatReplica):
    """Gradients are copied into one array, which is reduced as a whole."""

    def __init__(self, rank: Rank) -> None:
        super().__init__(rank)
        rank.shared.join(rank)
        self.optimiser = FlatSgd(self.flat, self.gradients, self.settings)

    def step(self, number: int) -> float:
        row_sum = self.backward(number)
        gather_gradients(self.model, self.gradients)
        self.rank.traffic.reduced(self.gradients)
        dist.all_reduce(self.gradients)
        self.optimiser.step()
        return row_sum


@implements(SUITE, dtypes=("float32", "float64"), counters=traffic_of(Trainer, Rendezvous))
def train(
    features: np.ndarray, targets: np.ndarray, initial_parameters: np.ndarray, settings: Settings
) -> Iterator[Any]:
    yield from train_in_processes(Trainer, Rendezvous, features, targets, initial_parameters, settings)
