"""What torch implementations and wrappers of knn share: re-ranking candidates and sorting ragged rows on the device."""

from __future__ import annotations

import torch

RERANK_BYTES = 1 << 28
TorchAnswer = tuple[torch.Tensor, torch.Tensor, torch.Tensor]


def rerank(points: torch.Tensor, queries: torch.Tensor, candidates: torch.Tensor, k: int) -> TorchAnswer:
    """The k nearest of each query's candidates (m, c), by direct differences in float64, as an answer."""
    m, width = candidates.shape
    height = max(1, RERANK_BYTES // (8 * width * points.shape[1]))
    distances, indices = [], []
    for start in range(0, m, height):
        rows = candidates[start : start + height]
        difference = points[rows].double() - queries[start : start + height, None].double()
        values, order = difference.square().sum(dim=2).topk(k, dim=1, largest=False, sorted=True)
        distances.append(values.sqrt())
        indices.append(rows.gather(1, order))
    offsets = torch.arange(m + 1, device=points.device) * k
    return torch.cat(distances).flatten(), torch.cat(indices).flatten(), offsets


def offsets_of(counts: torch.Tensor) -> torch.Tensor:
    """Offsets (m+1,) int64 of rows with ``counts`` (m,) entries."""
    offsets = torch.zeros(len(counts) + 1, dtype=torch.int64, device=counts.device)
    torch.cumsum(counts, dim=0, out=offsets[1:])
    return offsets


def sort_rows(owner: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
    """The order that sorts hits by owner and, within one, by value."""
    by_value = values.argsort()
    return by_value[owner[by_value].argsort(stable=True)]
