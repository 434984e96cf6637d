"""A rank that trains with DistributedDataParallel."""

# Annotations are not postponed here: register_comm_hook compares those of the hook with types.
from contextlib import nullcontext
from typing import Any

import numpy as np

# DistributedDataParallel and torch.optim import the compiler at their first use: once, before ranks are forked.
import torch._dynamo
import torch.distributed as dist
from torch.distributed.algorithms.ddp_comm_hooks.default_hooks import allreduce_hook
from torch.nn.parallel import DistributedDataParallel

from impls.building_blocks.data_parallel.model import Perceptron, Shard, sum_over_rows
from impls.building_blocks.data_parallel.rank import Rank


class DdpTrainer:
    """Settings that are not the default, and why:

    ``bucket_cap_mb`` is the case's. ``gradient_as_bucket_view`` saves a copy of all gradients.
    ``find_unused_parameters`` only where the case has some, since without it a bucket would never fill. The optimiser
    is fused, one pass over the parameters as in ours.
    """

    backend = "gloo"

    def __init__(self, rank: Rank) -> None:
        settings = rank.settings
        rank.shared.join(rank, self.backend)
        self.rank, self.settings = rank, settings
        model = Perceptron(settings, rank.dtype, rank.device)
        model.load_flat(torch.as_tensor(rank.initial_parameters))
        self.model = DistributedDataParallel(
            model,
            bucket_cap_mb=settings.bucket_cap_bytes / 2**20,
            gradient_as_bucket_view=True,
            find_unused_parameters=settings.unused,
        )
        self.optimiser = torch.optim.SGD(
            model.parameters(), lr=settings.learning_rate, momentum=settings.momentum, fused=True
        )
        features, targets = (torch.as_tensor(array).to(rank.device) for array in (rank.features, rank.targets))
        self.shard = Shard(features, targets, settings, rank.number)

    def step(self, number: int) -> float:
        self.optimiser.zero_grad()
        total = 0.0
        micro_batches = self.shard.micro_batches(number)
        for position, (features, targets) in enumerate(micro_batches):
            last = position == len(micro_batches) - 1
            with nullcontext() if last else self.model.no_sync():
                row_sum = sum_over_rows(self.model(features), targets, self.settings)
                (row_sum * self.shard.weight).backward()
            total += row_sum.item()
        self.optimiser.step()
        return total

    def parameters(self) -> np.ndarray:
        return torch.cat([parameter.detach().flatten() for parameter in self.model.parameters()]).cpu().numpy()


class CountedDdpTrainer(DdpTrainer):
    """The same with a communication hook that counts the buckets and then does what DDP does without one."""

    def __init__(self, rank: Rank) -> None:
        super().__init__(rank)
        self.model.register_comm_hook(dist.group.WORLD, self._count)

    def _count(self, group: Any, bucket: dist.GradBucket) -> torch.futures.Future[torch.Tensor]:  # type: ignore[name-defined]
        self.rank.traffic.reduced(bucket.buffer())
        return allreduce_hook(group, bucket)
