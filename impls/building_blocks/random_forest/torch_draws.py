"""The suite's random draws in tensors of int64, which wrap around as unsigned numbers do."""

from __future__ import annotations

import torch

from suites.random_forest.draws import FIRST_FACTOR, FIRST_SWAP, GOLDEN, SECOND_FACTOR


def _signed(value: int) -> int:
    return value - (1 << 64) if value >= 1 << 63 else value


_GOLDEN, _FIRST, _SECOND = _signed(GOLDEN), _signed(FIRST_FACTOR), _signed(SECOND_FACTOR)


def draw(keys: torch.Tensor, counter: int | torch.Tensor) -> torch.Tensor:
    """64 random bits of each key, int64."""
    z = keys + (counter + 1) * torch.tensor(_GOLDEN, device=keys.device)
    z = (z ^ _shifted(z, 30)) * _FIRST
    z = (z ^ _shifted(z, 27)) * _SECOND
    return z ^ _shifted(z, 31)


def below(bits: torch.Tensor, bound: int) -> torch.Tensor:
    """Numbers in 0..bound-1 from 64 random bits."""
    return (_shifted(bits, 32) * bound) >> 32


def permutations(keys: torch.Tensor, features: int) -> torch.Tensor:
    """A permutation of the features for each node's key, int64 (nodes, features)."""
    order = torch.arange(features, device=keys.device).repeat(len(keys), 1)
    for i in range(features):
        other = i + below(draw(keys, FIRST_SWAP + i), features - i)[:, None]
        swapped = order.gather(1, other)
        order.scatter_(1, other, order[:, i : i + 1].clone())
        order[:, i : i + 1] = swapped
    return order


def _shifted(z: torch.Tensor, bits: int) -> torch.Tensor:
    """A right shift that fills with zeros."""
    return (z >> bits) & ((1 << (64 - bits)) - 1)
