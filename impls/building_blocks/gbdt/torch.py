"""Boosting with histograms in torch tensors, level by level; how histograms are built is the caller's.

One level is a fixed number of tensor operations, whatever the number of its nodes. The host learns once per level what
was split.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import torch

from impls.building_blocks.trees.torch_binning import BINS, Table
from suites.gbdt.suite import LEAST_CLASS_SHARE, LEAST_HESSIAN, TIE

Build = Callable[["Table", torch.Tensor, torch.Tensor, int], tuple[torch.Tensor, torch.Tensor]]
"""``(table, residual, place, nodes)`` to sums and counts, both float64 (nodes, features, 256).

``place`` int64 (rows,) says which of ``nodes`` histograms a row belongs to, -1 for none.
"""


class Tree(NamedTuple):
    """``feature`` and ``left`` int64, ``threshold`` and ``value`` float64 by node; a leaf is its own left child."""

    feature: torch.Tensor
    threshold: torch.Tensor
    left: torch.Tensor
    value: torch.Tensor
    depth: int


@dataclass
class _Open:
    """A node that may be split, with its histogram and the best split found in it."""

    depth: int
    sums: torch.Tensor
    counts: torch.Tensor
    gain: float
    feature: int
    bin: int
    left_rows: int
    rows: int


def fit(
    table: Table,
    y: torch.Tensor,
    loss: str,
    rounds: int,
    max_depth: int,
    max_leaves: int,
    shrinkage: float,
    min_rows: int,
    build: Build,
) -> tuple[list[Tree], float]:
    """The fitted trees and the score they start from."""
    base = float(y.mean())
    if loss == "logistic":
        share = min(max(base, LEAST_CLASS_SHARE), 1 - LEAST_CLASS_SHARE)
        base = math.log(share / (1 - share))
    scores = torch.full_like(y, base)
    trees = []
    for _ in range(rounds):
        p = torch.sigmoid(scores) if loss == "logistic" else scores
        residual = y - p
        hessian = p * (1 - p) if loss == "logistic" else torch.ones_like(p)
        grower = _Grower(table, residual, max_depth, max_leaves, min_rows, build)
        size = grower.grow()
        weight = torch.zeros(size, dtype=y.dtype, device=y.device).index_add_(0, grower.node, hessian)
        value = torch.zeros_like(weight).index_add_(0, grower.node, residual) / weight.clamp(min=LEAST_HESSIAN)
        scores += shrinkage * value[grower.node]
        trees.append(grower.tree(value))
    return trees, base


def predict(trees: list[Tree], base: float, shrinkage: float, x: torch.Tensor) -> torch.Tensor:
    """Raw scores float64 (rows,)."""
    scores = torch.full((len(x),), base, dtype=torch.float64, device=x.device)
    row = torch.arange(len(x), device=x.device)
    for tree in trees:
        node = torch.zeros_like(row)
        for _ in range(tree.depth):
            node = tree.left[node] + (x[row, tree.feature[node]].double() > tree.threshold[node])
        scores += shrinkage * tree.value[node]
    return scores


class _Grower:
    """One tree under growth. ``node`` int64 (rows,) is the node that each row is in."""

    def __init__(
        self, table: Table, residual: torch.Tensor, max_depth: int, max_leaves: int, min_rows: int, build: Build
    ) -> None:
        self.table, self.residual, self.build = table, residual, build
        self.max_depth, self.max_leaves, self.min_rows = max_depth, max_leaves, min_rows
        self.node = torch.zeros(len(residual), dtype=torch.int64, device=residual.device)
        self.waiting: dict[int, _Open] = {}
        self.splits: dict[int, tuple[int, int, int]] = {}
        self.size, self.depth = 1, 0

    def grow(self) -> int:
        """Returns the number of nodes."""
        rows = len(self.residual)
        if rows >= 2 * self.min_rows and self.max_leaves != 1:
            sums, counts = self.build(self.table, self.residual, self.node, 1)
            self._search([(0, 0, rows)], sums, counts)
        while self.waiting:
            room = (self.max_leaves or self.size + len(self.waiting)) - (self.size + 1) // 2
            if room <= 0:
                break
            self._split(self._next_parents())
        return self.size

    def tree(self, value: torch.Tensor) -> Tree:
        device = value.device
        left = torch.arange(self.size)
        feature, threshold = torch.zeros_like(left), torch.zeros_like(left)
        for node, (f, b, child) in self.splits.items():
            feature[node], threshold[node], left[node] = f, b, child
        feature, left = feature.to(device), left.to(device)
        cut = self.table.thresholds[feature, threshold.to(device)]
        is_leaf = left == torch.arange(self.size, device=device)
        return Tree(feature, torch.where(is_leaf, math.inf, cut), left, value, self.depth)

    def _next_parents(self) -> dict[int, _Open]:
        """All waiting nodes, or with a limit of leaves the one of the largest gain, the oldest of tied ones."""
        if not self.max_leaves:
            parents, self.waiting = self.waiting, {}
            return parents
        largest = max(entry.gain for entry in self.waiting.values())
        node = next(node for node in sorted(self.waiting) if self.waiting[node].gain >= largest * (1 - TIE))
        return {node: self.waiting.pop(node)}

    def _split(self, parents: dict[int, _Open]) -> None:
        before, pairs = self.size, []
        for node, entry in parents.items():
            self.splits[node] = entry.feature, entry.bin, self.size
            self.depth = max(self.depth, entry.depth + 1)
            pairs.append((self.size, entry.left_rows, entry.rows - entry.left_rows, entry))
            self.size += 2
        self._move_rows(parents, before)
        last = self.max_leaves and (self.size + 1) // 2 >= self.max_leaves
        jobs = [
            (left, left_rows, right_rows, entry)
            for left, left_rows, right_rows, entry in pairs
            if not last
            and (not self.max_depth or entry.depth + 1 < self.max_depth)
            and max(left_rows, right_rows) >= 2 * self.min_rows
        ]
        if jobs:
            self._build_children(jobs)

    def _move_rows(self, parents: dict[int, _Open], before: int) -> None:
        """Send the rows of ``parents`` to the children, which are numbered from ``before`` on."""
        device = self.node.device
        chosen = torch.full((before, 3), -1, dtype=torch.int64)
        for node in parents:
            chosen[node] = torch.tensor(self.splits[node])
        feature, bin_number, left = chosen.to(device)[self.node].unbind(1)
        moving = left >= 0
        code = self.table.codes[feature.clamp(min=0), torch.arange(len(left), device=device)]
        self.node = torch.where(moving, left + (code > bin_number), self.node)

    def _build_children(self, jobs: list[tuple[int, int, int, _Open]]) -> None:
        """Build the smaller child of each pair from its rows, subtract it for the other one, and search both."""
        place = torch.full((self.size,), -1, dtype=torch.int64)
        for k, (left, left_rows, right_rows, _) in enumerate(jobs):
            place[left if left_rows <= right_rows else left + 1] = k
        small_sums, small_counts = self.build(
            self.table, self.residual, place.to(self.node.device)[self.node], len(jobs)
        )
        large_sums = torch.stack([entry.sums for *_, entry in jobs]) - small_sums
        large_counts = torch.stack([entry.counts for *_, entry in jobs]) - small_counts
        children = []
        for left, left_rows, right_rows, entry in jobs:
            small = (left, entry.depth + 1, left_rows), (left + 1, entry.depth + 1, right_rows)
            children.append(small if left_rows <= right_rows else small[::-1])
        nodes = [small for small, _ in children] + [large for _, large in children]
        sums, counts = torch.cat([small_sums, large_sums]), torch.cat([small_counts, large_counts])
        searched = [k for k, (_, _, rows) in enumerate(nodes) if rows >= 2 * self.min_rows]
        if len(searched) < len(nodes):
            nodes, sums, counts = [nodes[k] for k in searched], sums[searched], counts[searched]
        self._search(nodes, sums, counts)

    def _search(self, nodes: list[tuple[int, int, int]], sums: torch.Tensor, counts: torch.Tensor) -> None:
        """Find the best split of each of ``nodes`` (number, depth, rows); those that gain something then wait."""
        left, left_rows = sums.cumsum(2), counts.cumsum(2)
        total, rows = left[..., -1:].clone(), left_rows[..., -1:].clone()
        right_rows = rows - left_rows
        refused = (left_rows < self.min_rows).logical_or_(right_rows < self.min_rows)
        right = (total - left).square_().div_(right_rows)  # in place: a level has tens of megabytes of these
        score = left.square_().div_(left_rows).add_(right).masked_fill_(refused, -1.0).flatten(1)
        best = score.amax(1, keepdim=True)
        first = (score >= best * (1 - TIE)).to(torch.uint8).argmax(1, keepdim=True)
        parent = (total * total / rows).squeeze(2).gather(1, first // BINS)
        gain = torch.where(best > 0, best - parent, -1.0)
        gain = torch.where(gain > TIE * best, gain, -1.0)
        on_left = left_rows.flatten(1).gather(1, first)
        found = torch.cat([gain, first.double(), on_left], dim=1).tolist()
        order = sorted(range(len(nodes)), key=lambda k: nodes[k][0])
        for k in order:
            (node, depth, size), (node_gain, index, n_left) = nodes[k], found[k]
            if node_gain > 0:
                feature, bin_number = divmod(int(index), BINS)
                self.waiting[node] = _Open(depth, sums[k], counts[k], node_gain, feature, bin_number, int(n_left), size)
