"""All ridge regressions of a bagging ensemble at once in torch: one batched Cholesky to fit, one product to predict."""

from __future__ import annotations

from typing import NamedTuple

import torch

ROWS_AT_ONCE = 4_096
"""Rows whose outer products are held at the same time."""


class Ridges(NamedTuple):
    """Coefficients (features, members) and intercepts (members,), float64."""

    coefficients: torch.Tensor
    intercepts: torch.Tensor


def fit(x: torch.Tensor, y: torch.Tensor, bootstraps: torch.Tensor, penalty: float) -> Ridges:
    """Ridge regressions with intercepts on the rows ``bootstraps`` (members, rows).

    A sample that holds row i c_i times has the Gram matrix sum of c_i x_i x_i', so that the matrices of all members are
    one product of the counts with the rows' outer products.
    """
    rows, features = x.shape
    members = len(bootstraps)
    counts = torch.zeros((members, rows), dtype=x.dtype, device=x.device)
    counts.scatter_add_(1, bootstraps, torch.ones_like(bootstraps, dtype=x.dtype))
    x_mean, y_mean = x.mean(dim=0), y.mean()
    x, y = x - x_mean, y - y_mean  # near zero, so that little cancels when each sample's own means are taken off
    table = torch.cat([x, y[:, None]], dim=1)
    products = torch.zeros((members, features * (features + 1)), dtype=x.dtype, device=x.device)
    for start in range(0, rows, ROWS_AT_ONCE):
        piece = slice(start, start + ROWS_AT_ONCE)
        outer = (x[piece, :, None] * table[piece, None, :]).flatten(1)
        products += counts[:, piece] @ outer
    sums = counts @ table
    number = counts.sum(dim=1)
    means = sums / number[:, None]
    products = products.view(members, features, features + 1)
    products -= number[:, None, None] * means[:, :features, None] * means[:, None, :]
    gram = products[..., :features] + penalty * torch.eye(features, dtype=x.dtype, device=x.device)
    factor = torch.linalg.cholesky(gram)
    coefficients = torch.cholesky_solve(products[..., features:], factor)[..., 0]
    intercepts = means[:, features] - (coefficients * means[:, :features]).sum(dim=1)
    return Ridges(coefficients.T.contiguous(), intercepts + y_mean - coefficients @ x_mean)


def predict(ridges: Ridges, x: torch.Tensor) -> torch.Tensor:
    """Mean prediction (rows, 1) over the members, each of which predicts every row."""
    return (x @ ridges.coefficients + ridges.intercepts).mean(dim=1, keepdim=True)
