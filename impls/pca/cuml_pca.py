"""NVIDIA cuML's `cuml.PCA(svd_solver="full")`: a covariance matrix and cuSOLVER's eigenvectors on the GPU."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from cuml import PCA  # type: ignore[import-not-found, unused-ignore]

from harness.contract import implements
from impls.building_blocks.pca.ends import require_rows
from impls.building_blocks.pca.torch import TorchFitted, fitted, project
from suites.pca.suite import SUITE


@implements(SUITE, library="cuML", arrays="torch", devices=("cuda",), dtypes=("float32", "float64"), kind="gram")
def pca(x: Any, k: int, seed: int) -> Iterator[TorchFitted | torch.Tensor]:
    require_rows(x)
    # cuML works on a stream of its own and does not know what torch still has to do on its stream.
    torch.cuda.current_stream().synchronize()
    found = PCA(n_components=k, svd_solver="full", output_type="cupy").fit(x)
    mean, components, variances = (
        torch.as_tensor(each, device=x.device).to(x.dtype)
        for each in (found.mean_, found.components_, found.explained_variance_)
    )
    model = fitted(mean.reshape(-1), components, variances)
    yield model
    yield project(x, model)
