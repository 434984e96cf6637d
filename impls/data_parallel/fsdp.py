"""torch.distributed.fsdp.fully_shard (FSDP2) over gloo: parameters, gradients and momentum divided among processes."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch

# torch.optim imports the compiler at its first use: once, before the ranks are forked.
import torch._dynamo
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import FSDPModule, fully_shard
from torch.distributed.tensor import DTensor

from harness.contract import implements
from impls.building_blocks.data_parallel.gloo import Rendezvous
from impls.building_blocks.data_parallel.model import Perceptron, Shard, sum_over_rows
from impls.building_blocks.data_parallel.processes import train_in_processes
from impls.building_blocks.data_parallel.rank import Rank
from suites.data_parallel.suite import SUITE, Settings


class Trainer:
    """Every layer is a group of its own, as the documentation advises, so that its all-gather overlaps others."""

    def __init__(self, rank: Rank) -> None:
        settings = self.settings = rank.settings
        rank.shared.join(rank)
        mesh = init_device_mesh("cpu", (settings.workers,))
        self.model = Perceptron(settings, rank.dtype)
        self.model.load_flat(torch.as_tensor(rank.initial_parameters))
        for layer in self.model.layers:
            fully_shard(layer, mesh=mesh)
        self.group: FSDPModule = fully_shard(self.model, mesh=mesh)
        self.optimiser = torch.optim.SGD(
            self.model.parameters(), lr=settings.learning_rate, momentum=settings.momentum, foreach=True
        )
        self.shard = Shard(rank.features, rank.targets, settings, rank.number)

    def step(self, number: int) -> float:
        self.optimiser.zero_grad()
        total = 0.0
        micro_batches = self.shard.micro_batches(number)
        for position, (features, targets) in enumerate(micro_batches):
            self.group.set_requires_gradient_sync(position == len(micro_batches) - 1)
            row_sum = sum_over_rows(self.model(features), targets, self.settings)
            (row_sum * self.shard.weight).backward()
            total += row_sum.item()
        self.optimiser.step()
        return total

    def parameters(self) -> np.ndarray:
        """Gathered from all ranks."""
        whole = []
        for parameter in self.model.parameters():
            assert isinstance(parameter.data, DTensor)
            whole.append(parameter.data.full_tensor().flatten())
        return torch.cat(whole).numpy()


@implements(SUITE, library="torch", dtypes=("float32", "float64"))
def train(
    features: np.ndarray, targets: np.ndarray, initial_parameters: np.ndarray, settings: Settings
) -> Iterator[Any]:
    yield from train_in_processes(Trainer, Rendezvous, features, targets, initial_parameters, settings)
