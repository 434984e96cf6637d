"""torch's randomised `torch.pca_lowrank` with 10 columns more than k and 4 power steps.

Its `q` counts all columns. The default of 2 steps misses the tolerance where the singular values fall slowly.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch

from harness.contract import implements
from impls.building_blocks.pca.ends import require_rows
from impls.building_blocks.pca.torch import TorchFitted, fitted, project
from suites.pca.suite import SUITE

OVERSAMPLES, POWER_STEPS = 10, 4


@implements(
    SUITE, library="torch", arrays="torch", devices=("cpu", "cuda"), dtypes=("float64", "float32"), kind="randomised"
)
def pca(x: Any, k: int, seed: int) -> Iterator[TorchFitted | torch.Tensor]:
    require_rows(x)
    torch.manual_seed(seed)
    columns = min(k + OVERSAMPLES, *x.shape)
    _, values, vectors = torch.pca_lowrank(x, q=columns, niter=POWER_STEPS)
    model = fitted(x.mean(dim=0), vectors.T[:k], values[:k].square() / (len(x) - 1))
    yield model
    yield project(x, model)
