"""One process per worker, one all-reduce after the other for each parameter's gradient (gloo)."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch.distributed as dist

from harness.contract import implements
from impls.building_blocks.data_parallel.gloo import Rendezvous
from impls.building_blocks.data_parallel.model import split_flat
from impls.building_blocks.data_parallel.processes import traffic_of, train_in_processes
from impls.building_blocks.data_parallel.rank import Rank
from impls.building_blocks.data_parallel.replica import FlatReplica, FlatSgd
from suites.data_parallel.suite import SUITE, Settings


class Trainer(FlatReplica):
    """Each gradient is copied to its place and reduced there."""

    def __init__(self, rank: Rank) -> None:
        super().__init__(rank)
        rank.shared.join(rank)
        self.places = list(zip(self.model.parameters(), split_flat(self.model, self.gradients), strict=True))
        self.optimiser = FlatSgd(self.flat, self.gradients, self.settings)

    def step(self, number: int) -> float:
        row_sum = self.backward(number)
        for parameter, place in self.places:
            if parameter.grad is None:
                place.zero_()
            else:
                place.copy_(parameter.grad)
                parameter.grad = None
            self.rank.traffic.reduced(place)
            dist.all_reduce(place)
        self.optimiser.step()
        return row_sum


@implements(SUITE, dtypes=("float32", "float64"), counters=traffic_of(Trainer, Rendezvous))
def train(
    features: np.ndarray, targets: np.ndarray, initial_parameters: np.ndarray, settings: Settings
) -> Iterator[Any]:
    yield from train_in_processes(Trainer, Rendezvous, features, targets, initial_parameters, settings)
