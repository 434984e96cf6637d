"""Binning of features in torch tensors, with the bins of :mod:`impls.building_blocks.trees.binning`."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch

BINS = 256


class Table(NamedTuple):
    """Bin numbers uint8 (features, rows) and the thresholds float64 (features, 256) behind bins."""

    codes: torch.Tensor
    thresholds: torch.Tensor


def bin_table(x: torch.Tensor, bins: int) -> Table:
    """Bin the columns of ``x`` (rows, features) into at most ``bins`` bins each."""
    rows, features = x.shape
    columns, _ = torch.sort(x.T.contiguous(), dim=1)
    codes = torch.empty((features, rows), dtype=torch.uint8, device=x.device)
    thresholds = torch.full((features, BINS), math.inf, dtype=torch.float64, device=x.device)
    places = torch.tensor([-(-k * rows // bins) - 1 for k in range(1, bins)], device=x.device)
    for f in range(features):
        distinct = torch.unique_consecutive(columns[f])
        cuts = distinct[:-1]
        if len(distinct) > bins:
            cuts = torch.unique_consecutive(columns[f][places])
            cuts = cuts[cuts < distinct[-1]]
        after = distinct[torch.searchsorted(distinct, cuts, right=True)]
        thresholds[f, : len(cuts)] = (cuts.double() + after.double()) / 2
        codes[f] = torch.searchsorted(cuts, x[:, f].contiguous()).to(torch.uint8)
    return Table(codes, thresholds)
