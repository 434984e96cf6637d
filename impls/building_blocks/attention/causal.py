"""The bottom-right causal rule in torch: query i sees key j when j <= i + (Nk - Nq)."""

from __future__ import annotations

import math

import torch


def hidden_pairs(queries: int, keys: int, device: torch.device) -> torch.Tensor:
    """Boolean (Nq, Nk), true where the causal rule hides the key from the query."""
    return torch.ones(queries, keys, dtype=torch.bool, device=device).triu(keys - queries + 1)


def causal_bias(queries: int, keys: int, like: torch.Tensor) -> torch.Tensor:
    """(Nq, Nk) to add to the logits, in the dtype of ``like``: 0 where the key is seen, -inf where it is hidden."""
    bias = torch.zeros(queries, keys, dtype=like.dtype, device=like.device)
    return bias.masked_fill_(hidden_pairs(queries, keys, like.device), -math.inf)


def blind_rows(queries: int, keys: int, causal: bool) -> int:
    """How many queries, always the first ones, see no key."""
    return max(0, queries - keys) if causal else 0


def with_blind_rows(lse: torch.Tensor, keys: int, causal: bool) -> torch.Tensor:
    """``lse`` (B, H, Nq) with -inf in the rows that see no key, for libraries that put 0 or +inf there.

    A copy where there are such rows: the library's backward pass wants its own value back.
    """
    blind = blind_rows(lse.shape[-1], keys, causal)
    if blind:
        lse = lse.clone()
        lse[..., :blind] = -math.inf
    return lse
