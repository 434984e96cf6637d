"""torch.distributed.all_reduce over gloo, whose algorithm is a segmented ring."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
import torch.distributed as dist

from harness.contract import implements
from impls.building_blocks.allreduce.member import Endpoint
from impls.building_blocks.allreduce.team import in_processes
from suites.allreduce.suite import SUITE, Settings


class Reducer:
    def __init__(self, endpoint: Endpoint, buffers: np.ndarray) -> None:
        self.buffers = torch.from_numpy(buffers[endpoint.rank])

    def all_reduce(self, repeat: int) -> None:
        dist.all_reduce(self.buffers[repeat])


@implements(SUITE, library="torch", kind="linear", limits={"transport": ("gloo", "hosts", "distant_hosts")})
def all_reduce(addends: np.ndarray, settings: Settings) -> Iterator[Any]:
    yield from in_processes(Reducer, addends, settings)
