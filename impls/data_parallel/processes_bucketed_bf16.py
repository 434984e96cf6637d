"""Gradient buckets that travel and are summed in bfloat16: half the bytes, and rounding of each gradient."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch

from harness.contract import implements
from impls.building_blocks.data_parallel.buckets import Bucket, BucketedReplica
from impls.building_blocks.data_parallel.gloo import Rendezvous
from impls.building_blocks.data_parallel.processes import traffic_of, train_in_processes
from suites.data_parallel.suite import SUITE, Settings


class Trainer(BucketedReplica):
    """Only what travels is rounded: parameters, momentum and the gradients of a rank keep their dtype."""

    def pack(self, bucket: Bucket) -> torch.Tensor:
        return bucket.gradients.to(torch.bfloat16)

    def unpack(self, bucket: Bucket) -> None:
        bucket.gradients.copy_(bucket.payload)


@implements(SUITE, kind="bfloat16", counters=traffic_of(Trainer, Rendezvous))
def train(
    features: np.ndarray, targets: np.ndarray, initial_parameters: np.ndarray, settings: Settings
) -> Iterator[Any]:
    yield from train_in_processes(Trainer, Rendezvous, features, targets, initial_parameters, settings)
