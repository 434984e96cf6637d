"""A replica whose parameters and gradients are flat arrays, and SGD on such arrays."""

from __future__ import annotations

import copy

import numpy as np
import torch
from torch import Tensor

from impls.building_blocks.data_parallel.model import Perceptron, Shard, sum_over_rows
from impls.building_blocks.data_parallel.rank import Rank
from suites.data_parallel.settings import Settings

BLOCK = 65_536


class FlatSgd:
    """SGD with momentum on flat arrays, block by block so that a block is still in the cache for its next operation.

    It is written out here since the first use of ``torch.optim`` imports the compiler, two seconds in every rank.
    """

    def __init__(self, parameters: Tensor, gradients: Tensor, settings: Settings) -> None:
        self.momentum, self.rate = settings.momentum, settings.learning_rate
        velocity = torch.zeros_like(parameters)
        self.blocks = list(zip(parameters.split(BLOCK), velocity.split(BLOCK), gradients.split(BLOCK), strict=True))

    def step(self) -> None:
        """Update the parameters from the gradients."""
        for parameters, velocity, gradients in self.blocks:
            velocity.mul_(self.momentum).add_(gradients)
            parameters.add_(velocity, alpha=-self.rate)


class FlatReplica:
    """A replica whose parameters are views of one flat array, which is updated as one.

    The gradients of the ranks are meant to be summed: each rank's loss is divided by their number, which is cheaper
    than dividing the gradients.

    :param flat: the parameters (parameter_count,) where several replicas share them; else a copy of the initial ones.
    :param gradients: where the gradients (parameter_count,) are gathered; else memory of the replica's own.
    """

    def __init__(self, rank: Rank, flat: Tensor | None = None, gradients: Tensor | None = None) -> None:
        self.rank, self.settings = rank, rank.settings
        self.flat = torch.from_numpy(rank.initial_parameters.copy()) if flat is None else flat
        self.gradients = torch.zeros_like(self.flat) if gradients is None else gradients
        self.model = Perceptron(rank.settings, rank.dtype)
        self.model.lie_in(self.flat)
        self.shard = Shard(rank.features, rank.targets, rank.settings, rank.number)
        self.scale = self.shard.weight / rank.settings.workers

    def backward(self, step: int) -> float:
        """Add up the gradients of the rank's rows, part by part; returns the loss summed over them."""
        total = 0.0
        micro_batches = self.shard.micro_batches(step)
        for position, (features, targets) in enumerate(micro_batches):
            row_sum = sum_over_rows(self.model(features), targets, self.settings)
            if position == len(micro_batches) - 1:
                self.before_last_backward()
            (row_sum * self.scale).backward()
            total += row_sum.item()
        return total

    def with_shard(self, rank: Rank) -> FlatReplica:
        """The same parameters and gradients, for the rows of another rank."""
        other = copy.copy(self)
        other.rank, other.shard = rank, Shard(rank.features, rank.targets, rank.settings, rank.number)
        other.scale = other.shard.weight / rank.settings.workers
        return other

    def before_last_backward(self) -> None:
        """Called before the backward pass whose gradients complete the rank's shard."""

    def parameters(self) -> np.ndarray:
        return self.flat.numpy()
