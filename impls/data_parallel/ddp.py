"""torch.nn.parallel.DistributedDataParallel over gloo, one process per worker."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from harness.contract import implements
from impls.building_blocks.data_parallel.ddp import CountedDdpTrainer, DdpTrainer
from impls.building_blocks.data_parallel.gloo import Rendezvous
from impls.building_blocks.data_parallel.processes import traffic_of, train_in_processes
from suites.data_parallel.suite import SUITE, Settings


@implements(SUITE, library="torch", dtypes=("float32", "float64"), counters=traffic_of(CountedDdpTrainer, Rendezvous))
def train(
    features: np.ndarray, targets: np.ndarray, initial_parameters: np.ndarray, settings: Settings
) -> Iterator[Any]:
    yield from train_in_processes(DdpTrainer, Rendezvous, features, targets, initial_parameters, settings)
