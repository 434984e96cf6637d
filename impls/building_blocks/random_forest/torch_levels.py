"""Growth of all trees at once in torch tensors, level by level, with exact search.

A level sorts all rows of all open nodes of all trees once per drawn feature, by (node, value). Running class counts
along that order, less those at the node's beginning, are the left sides of every split.
"""

from __future__ import annotations

from typing import NamedTuple

import torch

from impls.building_blocks.random_forest.torch_draws import below, draw, permutations
from suites.random_forest.draws import FEATURES, LEFT, RIGHT, ROWS, tree_key

CLOSE = 1e-13
"""Scores this close, relative to the larger one, are compared as exact fractions."""


class Columns(NamedTuple):
    """Dense ranks int64 (features, rows), all distinct values in order, and where each feature's begin."""

    ranks: torch.Tensor
    values: torch.Tensor
    first: torch.Tensor


class Trees(NamedTuple):
    """Nodes of all trees, the roots first, leaves being their own left children; class ``counts`` (nodes, classes)."""

    feature: torch.Tensor
    threshold: torch.Tensor
    left: torch.Tensor
    counts: torch.Tensor


class Entries(NamedTuple):
    """Drawn rows of open nodes, one entry per row and tree: the row, how often it was drawn, the node's place."""

    row: torch.Tensor
    weight: torch.Tensor
    place: torch.Tensor


class Splits(NamedTuple):
    """By open node the best split: a fraction (denominator 0: none), its feature, and the ranks at both sides of it."""

    numerator: torch.Tensor
    denominator: torch.Tensor
    feature: torch.Tensor
    rank: torch.Tensor
    after: torch.Tensor


def columns_of(x: torch.Tensor) -> Columns:
    """The columns of ``x`` (rows, features) as ranks."""
    pairs = [torch.unique(column, return_inverse=True) for column in x.T]
    sizes = torch.tensor([0] + [len(values) for values, _ in pairs], device=x.device)
    return Columns(
        torch.stack([ranks for _, ranks in pairs]), torch.cat([values for values, _ in pairs]), sizes.cumsum(0)
    )


def grow(
    table: Columns,
    y: torch.Tensor,
    n_classes: int,
    n_trees: int,
    max_features: int,
    per_tree: bool,
    bootstrap: bool,
    seed: int,
) -> Trees:
    """Grow all trees. The host learns once per level how many nodes are left."""
    features, device = len(table.ranks), y.device
    entries = _draw_rows(len(y), n_trees, bootstrap, seed, device)
    keys = _keys(seed, n_trees, FEATURES, device)
    subset = permutations(keys, features)[:, :max_features] if per_tree else None
    nodes, size, parts = torch.arange(n_trees, device=device), n_trees, []
    while len(nodes):
        counts = torch.zeros((len(nodes), n_classes), dtype=torch.int64, device=device)
        counts.index_put_((entries.place, y[entries.row]), entries.weight, accumulate=True)
        is_open = (counts > 0).sum(dim=1) > 1
        drawn = permutations(keys, features) if subset is None else subset
        splits = _search(table, y, entries, counts, is_open, drawn, max_features)
        is_split = splits.denominator > 0
        chosen = splits.feature.clamp(min=0)
        low, high = (table.values[table.first[chosen] + rank].double() for rank in (splits.rank, splits.after))
        left = torch.where(is_split, size + 2 * (is_split.cumsum(0) - 1), nodes)
        threshold = torch.where(is_split, (low + high) / 2, torch.inf)
        parts.append(Trees(torch.where(is_split, chosen, 0), threshold, left, counts))
        stays = is_split[entries.place]
        entries = Entries(*(part[stays] for part in entries))
        goes_right = table.ranks[chosen[entries.place], entries.row] > splits.rank[entries.place]
        child = (is_split.cumsum(0) - 1)[entries.place] * 2 + goes_right
        entries = entries._replace(place=child)
        parents = keys[is_split]
        keys = torch.stack([draw(parents, LEFT), draw(parents, RIGHT)], dim=1).flatten()
        subset = subset[is_split].repeat_interleave(2, dim=0) if subset is not None else None
        nodes = torch.arange(size, size + len(keys), device=device)
        size += len(keys)
    return Trees(*(torch.cat(part) for part in zip(*parts, strict=True)))


def leaves_of(trees: Trees, x: torch.Tensor, n_trees: int) -> torch.Tensor:
    """The leaf that each row reaches in each tree, int64 (trees, rows)."""
    node = torch.arange(n_trees, device=x.device)[:, None].repeat(1, len(x))
    row = torch.arange(len(x), device=x.device)
    while True:
        after = trees.left[node] + (x[row, trees.feature[node]].double() > trees.threshold[node])
        if torch.equal(after, node):
            return node
        node = after


def _keys(seed: int, n_trees: int, which: int, device: torch.device) -> torch.Tensor:
    keys = [tree_key(seed, tree, which) for tree in range(n_trees)]
    return torch.tensor([key - (1 << 64) if key >= 1 << 63 else key for key in keys], device=device)


def _draw_rows(rows: int, n_trees: int, bootstrap: bool, seed: int, device: torch.device) -> Entries:
    if not bootstrap:
        row = torch.arange(rows, device=device).repeat(n_trees)
        return Entries(row, torch.ones_like(row), torch.arange(n_trees, device=device).repeat_interleave(rows))
    keys = _keys(seed, n_trees, ROWS, device)[:, None]
    drawn = below(draw(keys, torch.arange(rows, device=device)), rows)
    counts = torch.zeros((n_trees, rows), dtype=torch.int64, device=device)
    counts.scatter_add_(1, drawn, torch.ones_like(drawn))
    place, row = counts.nonzero(as_tuple=True)
    return Entries(row, counts[place, row], place)


def _search(
    table: Columns,
    y: torch.Tensor,
    entries: Entries,
    counts: torch.Tensor,
    is_open: torch.Tensor,
    drawn: torch.Tensor,
    max_features: int,
) -> Splits:
    """The best split of every open node among the first features drawn, or by the first later one that varies."""
    none = torch.zeros(len(counts), dtype=torch.int64, device=y.device)
    best = Splits(none, none, none - 1, none, none)
    for position in range(drawn.shape[1]):
        wanted = is_open if position < max_features else is_open & (best.denominator == 0)
        inside = wanted[entries.place]
        if position >= max_features and not bool(wanted.any()):
            break
        some = Entries(*(part[inside] for part in entries))
        best = _better(best, _best_of_feature(table, y, some, counts, drawn[:, position]))
    return best


def _best_of_feature(
    table: Columns, y: torch.Tensor, entries: Entries, counts: torch.Tensor, feature: torch.Tensor
) -> Splits:
    """The best split of each node that has entries, by the one feature of it."""
    nodes = len(counts)
    ranks = table.ranks[feature[entries.place], entries.row]
    keys, order = torch.sort((entries.place << 32) | ranks)
    place, rank = keys >> 32, keys & (2**32 - 1)
    label = torch.nn.functional.one_hot(y[entries.row[order]], counts.shape[1])
    running = (label * entries.weight[order, None]).cumsum(0)
    present = torch.zeros(nodes, dtype=torch.bool, device=y.device)
    present[place] = True
    own = counts * present[:, None]
    split = (place[:-1] == place[1:]) & (rank[:-1] != rank[1:])
    at = split.nonzero().squeeze(1)
    left = running[at] - (own.cumsum(0) - own)[place[at]]
    right = own[place[at]] - left
    n_left, n_right = left.sum(dim=1), right.sum(dim=1)
    numerator = (left * left).sum(dim=1) * n_right + (right * right).sum(dim=1) * n_left
    denominator = n_left * n_right
    first = _largest(numerator, denominator, place[at], nodes)
    found = first >= 0
    zero = torch.zeros(nodes, dtype=torch.int64, device=y.device)
    picks = [
        zero.masked_scatter(found, part[first[found]]) for part in (numerator, denominator, rank[at], rank[at + 1])
    ]
    return Splits(picks[0], picks[1], torch.where(found, feature, -1), picks[2], picks[3])


def _better(one: Splits, other: Splits) -> Splits:
    """The better split of each node, that of the lower feature where scores are equal."""
    nodes = len(one.feature)
    swap = (other.feature < one.feature) & (other.feature >= 0)
    pair = [torch.stack([torch.where(swap, b, a), torch.where(swap, a, b)], 1) for a, b in zip(one, other, strict=True)]
    numerator, denominator = pair[0].flatten(), pair[1].flatten()
    place = torch.arange(nodes, device=numerator.device).repeat_interleave(2)
    valid = (denominator > 0).nonzero().squeeze(1)
    first = _largest(numerator[valid], denominator[valid], place[valid], nodes)
    chosen = torch.where(first >= 0, valid[first.clamp(min=0)] if len(valid) else first, 0)
    return Splits(*(torch.where(first >= 0, part.flatten()[chosen], a) for part, a in zip(pair, one, strict=True)))


def _largest(numerator: torch.Tensor, denominator: torch.Tensor, place: torch.Tensor, nodes: int) -> torch.Tensor:
    """For each node the first of its largest fractions, int64 (nodes,), -1 for none; compared without rounding."""
    kept = torch.arange(len(place), device=place.device)
    if len(place):
        score = numerator.double() / denominator
        top = torch.zeros(nodes, dtype=torch.float64, device=place.device).scatter_reduce(0, place, score, "amax")
        kept = (score >= top[place] * (1 - CLOSE)).nonzero().squeeze(1)
        # Digits of the quotient, most significant first, until two unequal fractions must have differed.
        bits = int(denominator.max()).bit_length()
        step, rest = 62 - bits, numerator[kept]
        for _ in range(2 * bits // step + 2):
            digit, rest = rest // denominator[kept], rest % denominator[kept]
            own = place[kept]
            top_digit = torch.full((nodes,), -1, device=place.device).scatter_reduce(0, own, digit, "amax")
            stays = digit == top_digit[own]
            kept, rest = kept[stays], rest[stays] << step
    far = len(place)
    first = torch.full((nodes,), far, device=place.device).scatter_reduce(0, place[kept], kept, "amin")
    return torch.where(first < far, first, -1)
