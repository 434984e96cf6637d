"""The covariance matrix and all of its eigenvectors in torch, with full-precision products on a GPU too."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch

from harness.contract import implements
from impls.building_blocks.pca.ends import require_rows
from impls.building_blocks.pca.torch import TorchFitted, leading, project
from suites.pca.suite import SUITE


@implements(SUITE, arrays="torch", devices=("cpu", "cuda"), dtypes=("float64", "float32"), kind="gram")
def pca(x: Any, k: int, seed: int) -> Iterator[TorchFitted | torch.Tensor]:
    require_rows(x)
    # TF32 would lose what the contract asks for. Off is torch's default.
    assert not torch.backends.cuda.matmul.allow_tf32
    mean = x.mean(dim=0)
    centred = x - mean
    model = leading(centred.T @ centred, mean, len(x), k)
    yield model
    yield project(x, model)
