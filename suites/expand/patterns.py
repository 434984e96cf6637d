"""Twenty ways to use an expanded tensor and call backward, and twenty writes into one with no backward at all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Make = Callable[[Any], Any]
Use = Callable[[Any, Any], Any]

ROWS, COLUMNS = 3, 4


def expansions() -> dict[str, Make]:
    """Ways to get at a (3, 4) tensor of repeated columns from x (3, 1)."""
    import torch

    return {
        "expand": lambda x: x.expand(ROWS, COLUMNS),
        "expand with -1": lambda x: x.expand(-1, COLUMNS),
        "expand_as": lambda x: x.expand_as(torch.zeros(ROWS, COLUMNS)),
        "expand twice": lambda x: x.expand(2, ROWS, COLUMNS)[0].expand(ROWS, COLUMNS),
        "broadcast_to": lambda x: torch.broadcast_to(x, (ROWS, COLUMNS)),
    }


def uses() -> dict[str, Use]:
    """``(e, w)`` to a number, for e and w (3, 4) that hold whole numbers; nothing is written."""
    import torch
    from torch.nn import functional

    rows, columns = torch.tensor([0, 0, 2]), torch.tensor([1, 1, 3])
    return {
        "product": lambda e, w: (e * w).sum(),
        "square": lambda e, w: (e**2).sum(),
        "sum and cube": lambda e, w: ((e + w) ** 3).sum(),
        "difference and quotient": lambda e, w: ((e - w) / 2).sum(),
        "matmul": lambda e, w: (e @ w.T).sum(),
        "bmm": lambda e, w: torch.bmm(e.expand(2, ROWS, COLUMNS), w.T.expand(2, COLUMNS, ROWS)).sum(),
        "einsum": lambda e, w: torch.einsum("ij,kj->ik", e, w).sum(),
        "slice": lambda e, w: 3 * e[1:, ::2].sum(),
        "index": lambda e, w: (e[rows, columns] * w[rows, columns]).sum(),
        "gather": lambda e, w: (e.gather(1, torch.tensor([[0, 3], [1, 1], [2, 0]])) * w[:, :2]).sum(),
        "cat": lambda e, w: (torch.cat([e, w]) ** 2).sum(),
        "stack": lambda e, w: (torch.stack([e, w, e]) * w).sum(),
        "transpose and reshape": lambda e, w: (e.T.reshape(2, 6) * w.reshape(2, 6)).sum(),
        "mse_loss": lambda e, w: functional.mse_loss(e, w, reduction="sum"),
        "l1_loss": lambda e, w: functional.l1_loss(e, w, reduction="sum"),
        "relu": lambda e, w: (functional.relu(e - 1) * w).sum(),
        "where": lambda e, w: torch.where(w > 0, e, 2 * e).sum(),
        "masked_select": lambda e, w: (e.masked_select(w > 0) ** 2).sum(),
        "cumsum": lambda e, w: (e.cumsum(1) * w).sum(),
        "unfold": lambda e, w: (e.unfold(1, 2, 1) ** 2).sum(),
    }


def writes() -> dict[str, tuple[Use, Use]]:
    """``(e, w)`` writes into e; beside it what gives the same out of place."""
    import torch
    from torch.nn import functional

    rows, columns = torch.tensor([0, 2]), torch.tensor([1, 3])
    index = torch.tensor([[0, 1, 2, 0], [1, 2, 0, 1], [2, 0, 1, 2]])

    def assigned(e: Any, w: Any, place: Any) -> Any:
        held = e.tolist()
        owned = torch.tensor(held, dtype=e.dtype)
        owned[place] = w[place]
        return owned

    corner = (slice(1, None), slice(None, None, 2))
    return {
        "mul_": (lambda e, w: e.mul_(w), lambda e, w: e * w),
        "pow_": (lambda e, w: e.pow_(2), lambda e, w: e**2),
        "add_": (lambda e, w: e.add_(w), lambda e, w: e + w),
        "+=": (lambda e, w: e.__iadd__(w), lambda e, w: e + w),
        "sub_": (lambda e, w: e.sub_(w), lambda e, w: e - w),
        "div_": (lambda e, w: e.div_(2), lambda e, w: e / 2),
        "addmm_": (lambda e, w: e.addmm_(w[:, :3], w.T[:3] @ w), lambda e, w: e + w[:, :3] @ (w.T[:3] @ w)),
        "slice assignment": (lambda e, w: e.__setitem__(corner, w[corner]), lambda e, w: assigned(e, w, corner)),
        "index assignment": (
            lambda e, w: e.__setitem__((rows, columns), w[rows, columns]),
            lambda e, w: assigned(e, w, (rows, columns)),
        ),
        "mask assignment": (lambda e, w: e.__setitem__(w > 0, 7.0), lambda e, w: e.masked_fill(w > 0, 7.0)),
        "scatter_": (lambda e, w: e.scatter_(0, index, w), lambda e, w: e.scatter(0, index, w)),
        "copy_": (lambda e, w: e.copy_(w), lambda e, w: w + 0 * e),
        "fill_": (lambda e, w: e.fill_(7.0), lambda e, w: torch.full_like(w, 7.0)),
        "zero_": (lambda e, w: e.zero_(), lambda e, w: torch.zeros_like(w)),
        "clamp_": (lambda e, w: e.clamp_(min=1.5), lambda e, w: e.clamp(min=1.5)),
        "relu inplace": (lambda e, w: functional.relu(e, inplace=True), lambda e, w: functional.relu(e)),
        "neg_": (lambda e, w: e.neg_(), lambda e, w: -e),
        "cumsum_": (lambda e, w: e.cumsum_(1), lambda e, w: e.cumsum(1)),
        "exp_": (lambda e, w: e.exp_(), lambda e, w: e.exp()),
        "add out=": (lambda e, w: torch.add(w, 1, out=e), lambda e, w: w + 1),
    }
