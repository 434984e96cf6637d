"""torch.nn.DataParallel: one process, replicas made anew on every GPU for each batch, gradients gathered on the first.

On the CPU it would call the module as it is and measure nothing, so it takes part on GPUs only.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from harness.contract import implements
from impls.building_blocks.data_parallel.model import Perceptron, loss_terms, sum_over_rows
from impls.building_blocks.data_parallel.spawned import require_gpus
from suites.data_parallel.suite import SUITE, Settings


@implements(SUITE, library="torch", arrays="torch", devices=("cuda",), dtypes=("float32", "float64"))
def train(features: Tensor, targets: Tensor, initial_parameters: Tensor, settings: Settings) -> Iterator[Any]:
    require_gpus(settings.workers)
    module = Perceptron(settings, initial_parameters.dtype, "cuda:0")
    module.load_flat(initial_parameters)
    model = nn.DataParallel(module, device_ids=list(range(settings.workers)))
    optimiser = torch.optim.SGD(module.parameters(), lr=settings.learning_rate, momentum=settings.momentum, fused=True)
    losses = np.empty(settings.steps)
    yield
    for step in range(settings.steps):
        if step == settings.warm_up_steps:
            yield
        first, last = settings.rows(step, len(features))
        optimiser.zero_grad()
        row_sum = sum_over_rows(model(features[first:last]), targets[first:last], settings)
        loss = row_sum / loss_terms(settings)
        loss.backward()
        optimiser.step()
        losses[step] = loss.item()
    parameters = torch.cat([parameter.detach().flatten() for parameter in module.parameters()])
    yield parameters, losses, parameters.expand(settings.workers, -1)
