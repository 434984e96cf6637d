"""The replica that every rank trains: the network as a torch module, its loss, and flat storage for its parameters."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from suites.data_parallel.settings import Settings


class Layer(nn.Linear):
    """A linear layer whose values come from outside, so none are drawn."""

    def reset_parameters(self) -> None:
        """Leave the memory as it is."""


class Perceptron(nn.Module):
    """Linear layers with tanh between them; its parameters come in the order of the flat array."""

    def __init__(self, settings: Settings, dtype: torch.dtype, device: str | torch.device = "cpu") -> None:
        super().__init__()
        layers = [Layer(columns, rows, dtype=dtype, device=device) for rows, columns in settings.layer_shapes()]
        self.layers = nn.ModuleList(layers)
        repeats = settings.depth - 2 if settings.tied and settings.depth > 3 else 1
        used = list(self.layers)[: len(layers) - settings.unused]
        self.path = [layer for position, layer in enumerate(used) for _ in range(repeats if position == 1 else 1)]

    def forward(self, inputs: Tensor) -> Tensor:
        last = len(self.path) - 1
        for position, layer in enumerate(self.path):
            inputs = layer(inputs)
            if position < last:
                inputs = torch.tanh(inputs)
        return inputs

    @torch.no_grad()
    def load_flat(self, flat: Tensor) -> None:
        """Copy the flat array (parameter_count,) into the parameters."""
        for parameter, part in zip(self.parameters(), split_flat(self, flat), strict=True):
            parameter.copy_(part)

    def lie_in(self, flat: Tensor) -> None:
        """Let the parameters be views of ``flat``, so that one operation on it updates them all."""
        for parameter, part in zip(self.parameters(), split_flat(self, flat), strict=True):
            parameter.data = part


def split_flat(model: nn.Module, flat: Tensor) -> list[Tensor]:
    """Views of ``flat`` (at least parameter_count long) in the shapes of the parameters."""
    views, start = [], 0
    for parameter in model.parameters():
        views.append(flat[start : start + parameter.numel()].view(parameter.shape))
        start += parameter.numel()
    return views


def gather_gradients(model: nn.Module, flat: Tensor) -> None:
    """Copy the gradients into ``flat`` (parameter_count,), zero where a parameter has none, and drop them."""
    parts = []
    for parameter in model.parameters():
        gradient = parameter.grad
        parts.append(gradient.view(-1) if gradient is not None else flat.new_zeros(parameter.numel()))
        parameter.grad = None
    torch.cat(parts, out=flat)


class Shard:
    """The rows of one rank and the loss over them."""

    def __init__(self, features: np.ndarray | Tensor, targets: np.ndarray | Tensor, settings: Settings, rank: int):
        self.features, self.targets = torch.as_tensor(features), torch.as_tensor(targets)
        self.settings = settings
        self.first, self.last = settings.shard(rank)

    def micro_batches(self, step: int) -> list[tuple[Tensor, Tensor]]:
        """The parts of the rank's shard of the batch of ``step``, some of them possibly without rows."""
        start, _ = self.settings.rows(step, len(self.features))
        parts, rows = self.settings.micro_batches, self.last - self.first
        bounds = [start + self.first + part * rows // parts for part in range(parts + 1)]
        return [(self.features[a:b], self.targets[a:b]) for a, b in pairwise(bounds)]

    @property
    def weight(self) -> float:
        """The factor of the row sum whose gradients, *averaged* over ranks, are those of the whole batch."""
        settings = self.settings
        outputs = settings.out_features if settings.loss == "mse" else 1
        rows = self.last - self.first
        if settings.reduction == "sum":
            return float(settings.workers) if settings.weigh_shards else 1.0
        if settings.weigh_shards:
            return settings.workers / (settings.batch * outputs)
        return 1.0 / (rows * outputs) if rows else 0.0


def sum_over_rows(outputs: Tensor, targets: Tensor, settings: Settings) -> Tensor:
    """The loss summed over rows (and outputs), so that a shard without rows has loss 0 and gradient 0."""
    if settings.loss == "mse":
        return functional.mse_loss(outputs, targets, reduction="sum")
    return functional.cross_entropy(outputs, targets, reduction="sum")


def loss_terms(settings: Settings) -> int:
    """How many addends the loss of a batch is the mean of; 1 where it is their sum."""
    if settings.reduction == "sum":
        return 1
    return settings.batch * (settings.out_features if settings.loss == "mse" else 1)
