"""What a rank is given, what it must do, and the count of what it gives to the others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import torch

from suites.data_parallel.settings import Settings


@dataclass
class Traffic:
    """What one rank has given to the other ranks so far.

    :param calls: exchanges begun: collective calls, or messages sent where there are only those.
    :param payload_bytes: bytes of gradients handed over to be reduced.
    :param sent_bytes: bytes this rank itself moved to another; stays 0 where a library moves them.
    """

    calls: int = 0
    payload_bytes: int = 0
    sent_bytes: int = 0

    def reduced(self, tensor: torch.Tensor) -> None:
        """Count one reduction of ``tensor``."""
        self.calls += 1
        self.payload_bytes += tensor.numel() * tensor.element_size()

    def sent(self, tensor: torch.Tensor) -> None:
        """Count one message."""
        self.sent_bytes += tensor.numel() * tensor.element_size()


@dataclass
class Rank:
    """What a rank is given when it starts.

    :param shared: what the transport made for all ranks before they were forked.
    """

    number: int
    settings: Settings
    features: np.ndarray
    targets: np.ndarray
    initial_parameters: np.ndarray
    shared: Any = None
    device: str = "cpu"
    traffic: Traffic = field(default_factory=Traffic)

    @property
    def dtype(self) -> torch.dtype:
        return torch.as_tensor(self.initial_parameters[:0]).dtype


class Trainer(Protocol):
    """One rank's part of the training."""

    def step(self, number: int) -> float:
        """Train on one batch; returns the loss summed over the rank's rows, taken before the update."""

    def parameters(self) -> np.ndarray:
        """The rank's parameters (parameter_count,)."""


class Transport(Protocol):
    """What ranks share; made before they are forked, closed after they have ended."""

    def close(self) -> None: ...


MakeTrainer = Callable[[Rank], Trainer]
MakeTransport = Callable[[Settings, np.dtype], Transport]
