"""The whole batch at once in one process, torch's own threads inside each operation."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from harness.contract import implements
from impls.building_blocks.data_parallel.model import gather_gradients, loss_terms
from impls.building_blocks.data_parallel.rank import Rank
from impls.building_blocks.data_parallel.replica import FlatReplica, FlatSgd
from suites.data_parallel.suite import SUITE, Settings


@implements(SUITE, dtypes=("float32", "float64"))
def train(
    features: np.ndarray, targets: np.ndarray, initial_parameters: np.ndarray, settings: Settings
) -> Iterator[Any]:
    whole = replace(settings, workers=1, micro_batches=1)
    replica = FlatReplica(Rank(0, whole, features, targets, initial_parameters))
    optimiser = FlatSgd(replica.flat, replica.gradients, settings)
    losses = np.empty(settings.steps)
    yield
    for step in range(settings.steps):
        if step == settings.warm_up_steps:
            yield
        losses[step] = replica.backward(step) / loss_terms(settings)
        gather_gradients(replica.model, replica.gradients)
        optimiser.step()
    parameters = replica.parameters()
    yield parameters, losses, np.broadcast_to(parameters, (settings.workers, len(parameters)))
