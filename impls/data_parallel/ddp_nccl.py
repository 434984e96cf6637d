"""torch.nn.parallel.DistributedDataParallel over NCCL, one process per GPU."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from harness.contract import implements
from impls.building_blocks.data_parallel.spawned import require_gpus, train_in_spawned_processes
from suites.data_parallel.suite import SUITE, Settings


@implements(SUITE, library="torch", devices=("cuda",), dtypes=("float32", "float64"))
def train(
    features: np.ndarray, targets: np.ndarray, initial_parameters: np.ndarray, settings: Settings
) -> Iterator[Any]:
    require_gpus(settings.workers)
    yield from train_in_spawned_processes("cuda", features, targets, initial_parameters, settings)
