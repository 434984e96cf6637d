"""AdaBoost on a batch of training sets at once in torch; the scan of all features is one cumulative sum."""

from __future__ import annotations

from typing import NamedTuple

import torch

from suites.adaboost.suite import TIE


class Columns(NamedTuple):
    """Presorted training sets.

    :param order: row numbers int64 (sets, features, rows) by increasing value.
    :param values: float64, the values in that order.
    :param y: labels float64 (sets, rows).
    """

    order: torch.Tensor
    values: torch.Tensor
    y: torch.Tensor


Boosted = tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]
"""Features, thresholds, polarities, alphas and errors, (sets, rounds) each."""


def presort(x: torch.Tensor, y: torch.Tensor) -> Columns:
    """Sort every feature of ``x`` (sets, rows, features); ``y`` (sets, rows) holds -1 and 1."""
    values, order = x.transpose(1, 2).contiguous().sort(dim=2)
    return Columns(order, values, y.double())


def boost(columns: Columns, rounds: int) -> Boosted:
    """Boost every set ``rounds`` times; a set that has stopped keeps its weights and gets no further stumps."""
    sets, rows = columns.y.shape
    device = columns.values.device
    features = torch.full((sets, rounds), -1, device=device)
    polarities = torch.zeros_like(features)
    thresholds = torch.zeros((sets, rounds), dtype=torch.float64, device=device)
    alphas, errors = torch.zeros_like(thresholds), torch.full_like(thresholds, 0.5)
    weights = torch.full((sets, rows), 1 / rows, dtype=torch.float64, device=device)
    running = torch.ones(sets, dtype=torch.bool, device=device)
    each = torch.arange(sets, device=device)
    cuts = _thresholds(columns.values)
    raw = torch.empty_like(columns.values).scatter_(2, columns.order, columns.values)
    for m in range(rounds):
        feature, threshold, polarity = _best_stumps(columns, cuts, weights)
        right = raw[each, feature] > threshold[:, None]
        agrees = torch.where(right, polarity[:, None], -polarity[:, None]) == columns.y
        error = torch.where(agrees, 0.0, weights).sum(dim=1)
        running &= error < 0.5 - TIE
        if not bool(running.any()):
            break
        floored = torch.where(error > 0, error, 1 / (2 * rows))
        alpha = 0.5 * torch.log((1 - floored) / floored)
        features[running, m], polarities[running, m] = feature[running], polarity[running]
        thresholds[running, m], alphas[running, m] = threshold[running], alpha[running]
        errors[running, m] = error[running]
        running &= error > 0
        grown = weights * torch.where(agrees, torch.exp(-alpha)[:, None], torch.exp(alpha)[:, None])
        weights = torch.where(running[:, None], grown / grown.sum(dim=1, keepdim=True), weights)
    return features, thresholds, polarities, alphas, errors


def _thresholds(values: torch.Tensor) -> torch.Tensor:
    """Thresholds behind every place of sorted values, NaN where the next value is the same or there is none."""
    lower, upper = values[..., :-1], values[..., 1:]
    middle = lower + (upper - lower) / 2
    middle = torch.where(middle < upper, middle, lower)
    cuts = torch.full_like(values, float("nan"))
    cuts[..., :-1] = torch.where(lower < upper, middle, float("nan"))
    return cuts


def _best_stumps(
    columns: Columns, cuts: torch.Tensor, weights: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Feature, threshold and polarity (sets,) of the least error, the first one of tied candidates."""
    sets, features, rows = columns.order.shape
    signed = (weights * columns.y)[:, None, :].expand(sets, features, rows)
    total = weights.sum(dim=1)
    negative = torch.where(columns.y < 0, weights, 0.0).sum(dim=1)
    plus = negative[:, None, None] + signed.gather(2, columns.order).cumsum(dim=2)
    plus = torch.where(cuts.isnan(), float("nan"), plus).flatten(1)
    plus = torch.cat([negative[:, None], plus], dim=1)  # the constant stump comes first
    either = torch.minimum(plus, total[:, None] - plus).nan_to_num(float("inf"))
    allowed = either.amin(dim=1, keepdim=True) + TIE
    chosen = (either <= allowed).to(torch.uint8).argmax(dim=1, keepdim=True)
    polarity = torch.where(plus.gather(1, chosen) <= allowed, 1, -1)[:, 0]
    place = (chosen[:, 0] - 1).clamp(min=0)
    threshold = cuts.flatten(1).gather(1, place[:, None])[:, 0]
    constant = chosen[:, 0] == 0
    return place // rows, torch.where(constant, -float("inf"), threshold), polarity


def score(boosted: Boosted, x: torch.Tensor) -> torch.Tensor:
    """Sum of alpha h for each row of ``x`` (sets, rows, features), float64 (sets, rows)."""
    features, thresholds, polarities, alphas, _ = boosted
    values = x.gather(2, features.clamp(min=0)[:, None, :].expand(-1, x.shape[1], -1))
    weights = (alphas * polarities)[:, None, :]
    return torch.where(values > thresholds[:, None, :], weights, -weights).sum(dim=2)
