"""One process per worker; rank 0 sums the gradients of all and sends the sum back (Li et al. 2014, with one server)."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
import torch.distributed as dist

from harness.contract import implements
from impls.building_blocks.data_parallel.gloo import Rendezvous
from impls.building_blocks.data_parallel.model import gather_gradients
from impls.building_blocks.data_parallel.processes import traffic_of, train_in_processes
from impls.building_blocks.data_parallel.rank import Rank
from impls.building_blocks.data_parallel.replica import FlatReplica, FlatSgd
from suites.data_parallel.suite import SUITE, Settings


class Trainer(FlatReplica):
    """Rank 0 works on a shard too; it adds in the order of the ranks, so that the sum does not depend on arrival."""

    def __init__(self, rank: Rank) -> None:
        super().__init__(rank)
        rank.shared.join(rank)
        self.optimiser = FlatSgd(self.flat, self.gradients, self.settings)
        others = range(1, self.settings.workers) if rank.number == 0 else range(0)
        self.received = {other: torch.empty_like(self.gradients) for other in others}

    def step(self, number: int) -> float:
        row_sum = self.backward(number)
        gather_gradients(self.model, self.gradients)
        if self.rank.number == 0:
            self._serve()
        else:
            self.rank.traffic.reduced(self.gradients)
            self.rank.traffic.sent(self.gradients)
            dist.send(self.gradients, dst=0)
            dist.recv(self.gradients, src=0)
        self.optimiser.step()
        return row_sum

    def _serve(self) -> None:
        arriving = [(other, dist.irecv(buffer, src=other)) for other, buffer in self.received.items()]
        for other, handle in arriving:
            _wait(handle)
            self.gradients.add_(self.received[other])
        leaving = []
        for other in self.received:
            self.rank.traffic.reduced(self.gradients)
            self.rank.traffic.sent(self.gradients)
            leaving.append(dist.isend(self.gradients, dst=other))
        for handle in leaving:
            _wait(handle)


def _wait(handle: dist.Work | None) -> None:
    if handle is not None:
        handle.wait()


@implements(SUITE, dtypes=("float32", "float64"), counters=traffic_of(Trainer, Rendezvous))
def train(
    features: np.ndarray, targets: np.ndarray, initial_parameters: np.ndarray, settings: Settings
) -> Iterator[Any]:
    yield from train_in_processes(Trainer, Rendezvous, features, targets, initial_parameters, settings)
