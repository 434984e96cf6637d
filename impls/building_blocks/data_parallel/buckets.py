"""Gradient buckets that are all-reduced while the backward pass goes on (Li et al. 2020, section 3.2.3)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch.distributed as dist
from torch import Tensor, nn

from impls.building_blocks.data_parallel.model import split_flat
from impls.building_blocks.data_parallel.rank import Rank
from impls.building_blocks.data_parallel.replica import FlatReplica, FlatSgd


def plan_buckets(parameter_bytes: Sequence[int], cap_bytes: int) -> list[range]:
    """Consecutive parameters that share a bucket, in the order in which a backward pass fills the buckets.

    Parameters are taken from the last to the first; a bucket is closed when the next one would lift it over the cap,
    so that a parameter larger than the cap has a bucket to itself.
    """
    buckets, last, filled = [], len(parameter_bytes), 0
    for number in range(len(parameter_bytes) - 1, -1, -1):
        if filled and filled + parameter_bytes[number] > cap_bytes:
            buckets.append(range(number + 1, last))
            last, filled = number + 1, 0
        filled += parameter_bytes[number]
    if last:
        buckets.append(range(last))
    return buckets


class Bucket:
    """A contiguous part of the flat gradients, and the optimiser of the same part of the parameters."""

    def __init__(self, gradients: Tensor, optimiser: FlatSgd, members: int) -> None:
        self.gradients, self.optimiser, self.members = gradients, optimiser, members
        self.missing = 0
        self.payload = gradients
        self.handle: Any = None


class BucketedReplica(FlatReplica):
    """Starts a bucket's all-reduce when the last of its gradients is there, and updates it when that has ended.

    Buckets are started in one order on all ranks whatever order their gradients arrive in. A subclass may send the
    gradients in another form.
    """

    def __init__(self, rank: Rank) -> None:
        super().__init__(rank)
        rank.shared.join(rank)
        parameters = list(self.model.parameters())
        sizes = [parameter.numel() * parameter.element_size() for parameter in parameters]
        starts = [0]
        for parameter in parameters:
            starts.append(starts[-1] + parameter.numel())
        self.buckets = []
        self._bucket_of: dict[nn.Parameter, Bucket] = {}
        for members in plan_buckets(sizes, self.settings.bucket_cap_bytes):
            part = slice(starts[members.start], starts[members.stop])
            optimiser = FlatSgd(self.flat[part], self.gradients[part], self.settings)
            bucket = Bucket(self.gradients[part], optimiser, len(members))
            self.buckets.append(bucket)
            self._bucket_of.update((parameters[number], bucket) for number in members)
        self._place = dict(zip(parameters, split_flat(self.model, self.gradients), strict=True))
        self._sending = False
        for parameter in parameters:
            parameter.register_post_accumulate_grad_hook(self._arrived)

    def step(self, number: int) -> float:
        row_sum = self.backward(number)
        self._sending = False
        self._start_ready(len(self.buckets))
        for bucket in self.buckets:
            bucket.handle.wait()
            self.unpack(bucket)
            bucket.optimiser.step()
        return row_sum

    def pack(self, bucket: Bucket) -> Tensor:
        """What is sent of a bucket."""
        return bucket.gradients

    def unpack(self, bucket: Bucket) -> None:
        """Put the sum that has arrived into the bucket's gradients."""

    def before_last_backward(self) -> None:
        self._sending, self._started = True, 0
        for bucket in self.buckets:
            bucket.missing = bucket.members

    def _arrived(self, parameter: Tensor) -> None:
        if not self._sending:
            return
        assert isinstance(parameter, nn.Parameter)
        assert parameter.grad is not None
        self._place[parameter].copy_(parameter.grad)
        parameter.grad = None
        bucket = self._bucket_of[parameter]
        bucket.missing -= 1
        if bucket.missing == 0:
            self._start_ready(self._started)

    def _start_ready(self, forced: int) -> None:
        """Start the buckets that are complete, in order, and the first ``forced`` even with gradients missing.

        A gradient that never comes, of a parameter that took no part, stays the zero it was set to at the beginning.
        """
        while self._started < len(self.buckets):
            bucket = self.buckets[self._started]
            if bucket.missing and self._started >= forced:
                return
            bucket.payload = self.pack(bucket)
            self.rank.traffic.reduced(bucket.payload)
            bucket.handle = dist.all_reduce(bucket.payload, async_op=True)
            self._started += 1
