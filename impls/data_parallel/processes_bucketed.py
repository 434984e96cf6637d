"""One process per worker, gradient buckets all-reduced during the backward pass (Li et al. 2020, section 3.2.3)."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from harness.contract import implements
from impls.building_blocks.data_parallel.buckets import BucketedReplica
from impls.building_blocks.data_parallel.gloo import Rendezvous
from impls.building_blocks.data_parallel.processes import traffic_of, train_in_processes
from suites.data_parallel.suite import SUITE, Settings


@implements(SUITE, dtypes=("float32", "float64"), counters=traffic_of(BucketedReplica, Rendezvous))
def train(
    features: np.ndarray, targets: np.ndarray, initial_parameters: np.ndarray, settings: Settings
) -> Iterator[Any]:
    yield from train_in_processes(BucketedReplica, Rendezvous, features, targets, initial_parameters, settings)
