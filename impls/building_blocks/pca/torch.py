"""What torch implementations of principal components share."""

from __future__ import annotations

import torch

TorchFitted = tuple[torch.Tensor, torch.Tensor, torch.Tensor]


def fitted(mean: torch.Tensor, components: torch.Tensor, variances: torch.Tensor) -> TorchFitted:
    """Mean (d,), components (k, d) with their largest entry positive, and variances (k,) that are not negative."""
    places = components.abs().argmax(dim=1, keepdim=True)
    signs = torch.where(components.gather(1, places) < 0, -1.0, 1.0).to(components.dtype)
    return mean, (components * signs).contiguous(), variances.clamp(min=0)


def leading(products: torch.Tensor, mean: torch.Tensor, rows: int, k: int) -> TorchFitted:
    """The model of the inner products (d, d) of centred columns."""
    values, vectors = torch.linalg.eigh(products)
    return fitted(mean, vectors.T[-k:].flip(0), values[-k:].flip(0) / (rows - 1))


def project(x: torch.Tensor, model: TorchFitted) -> torch.Tensor:
    """Scores (n, k) of x (n, d)."""
    return (x - model[0]) @ model[1].T
