"""torch.distributed's reduce_scatter_tensor, then all_gather_into_tensor, over gloo."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
import torch.distributed as dist

from harness.contract import implements
from impls.building_blocks.allreduce.member import Endpoint
from impls.building_blocks.allreduce.team import in_processes
from suites.allreduce.suite import SUITE, Settings

# Called by their older names before torch 2.13.
reduce_scatter = getattr(dist, "reduce_scatter_single", None) or dist.reduce_scatter_tensor
all_gather = getattr(dist, "all_gather_single", None) or dist.all_gather_into_tensor


class Reducer:
    """Chunks must be equal, so the buffer is copied to one that is padded with zeros, and back."""

    def __init__(self, endpoint: Endpoint, buffers: np.ndarray) -> None:
        self.buffers = torch.from_numpy(buffers[endpoint.rank])
        ranks, _, self.length = buffers.shape
        chunk = -(-self.length // ranks)
        self.padded = torch.zeros(chunk * ranks)
        self.sums = torch.empty(chunk)

    def all_reduce(self, repeat: int) -> None:
        self.padded[: self.length] = self.buffers[repeat]
        reduce_scatter(self.sums, self.padded)
        all_gather(self.padded, self.sums)
        self.buffers[repeat] = self.padded[: self.length]


@implements(SUITE, library="torch", kind="linear", limits={"transport": ("gloo", "hosts", "distant_hosts")})
def all_reduce(addends: np.ndarray, settings: Settings) -> Iterator[Any]:
    yield from in_processes(Reducer, addends, settings)
