"""The shards of all workers one after the other in one process, their gradients accumulated (micro-batches)."""

from collections.abc import Iterator
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
    first = FlatReplica(Rank(0, settings, features, targets, initial_parameters))
    others = [
        first.with_shard(Rank(number, settings, features, targets, initial_parameters))
        for number in range(1, settings.workers)
    ]
    optimiser = FlatSgd(first.flat, first.gradients, settings)
    losses = np.empty(settings.steps)
    yield
    for step in range(settings.steps):
        if step == settings.warm_up_steps:
            yield
        losses[step] = sum(replica.backward(step) for replica in (first, *others)) / loss_terms(settings)
        gather_gradients(first.model, first.gradients)
        optimiser.step()
    parameters = first.parameters()
    yield parameters, losses, np.broadcast_to(parameters, (settings.workers, len(parameters)))
