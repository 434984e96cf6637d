"""Messages of gloo between two ranks at a time: nothing of it is collective."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
import torch.distributed as dist

from impls.building_blocks.allreduce.steps import Receive, Send
from impls.building_blocks.ranks.gloo import Rendezvous


class Loopback:
    """Ranks on one host, connected over the loopback interface."""

    def __init__(self, ranks: int) -> None:
        self._ranks = ranks
        self._place = Rendezvous()

    def join(self, rank: int, interface: str = "lo") -> GlooEndpoint:
        # Only ranks that send each other something are connected, and at their first message.
        os.environ["TORCH_GLOO_LAZY_INIT"] = "1"
        self._place.join(rank, self._ranks, interface=interface)
        return GlooEndpoint(rank, self._ranks)

    def close(self) -> None:
        self._place.close()


class GlooEndpoint:
    """Messages between two ranks are told apart by their running number, which is their tag."""

    def __init__(self, rank: int, ranks: int) -> None:
        self.rank = rank
        assert dist.group.WORLD is not None
        self._group = dist.group.WORLD
        self._sent = [0] * ranks
        self._expected = [0] * ranks

    def begin(self, buffers: np.ndarray, spare: np.ndarray) -> None:
        self._values, self._spare = torch.from_numpy(buffers[self.rank]), torch.from_numpy(spare)

    def send(self, message: Send) -> Any:
        tag = self._sent[message.peer] = self._sent[message.peer] + 1
        return self._group.send([self._values[message.start : message.stop]], message.peer, tag)

    def expect(self, message: Receive, second: bool) -> tuple[Any, torch.Tensor]:
        """What is only stored arrives at its place: nobody sends it before this rank has done with what is there."""
        tag = self._expected[message.peer] = self._expected[message.peer] + 1
        memory = self._spare[int(second)] if message.add else self._values
        target = memory[message.start : message.stop]
        return self._group.recv([target], message.peer, tag), target

    def fetch(self, ticket: tuple[Any, torch.Tensor]) -> np.ndarray:
        work, target = ticket
        work.wait()
        return target.numpy()

    def release(self, ticket: tuple[Any, torch.Tensor]) -> None:
        """Gloo has acknowledged it already."""

    def wait_sent(self, tickets: Sequence[Any]) -> None:
        for work in tickets:
            work.wait()
