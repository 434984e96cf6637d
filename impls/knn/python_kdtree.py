"""k-d tree of node objects, searched recursively, in plain Python (Bentley 1975; Friedman et al. 1977)."""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from harness.contract import implements
from impls.building_blocks.knn.checks import squared_limit
from suites.knn.suite import SUITE

LEAF_SIZE = 8
Point = Sequence[float]
# Searched for one query: (minus the distance, minus the index), a heap with the worst first.
Found = list[tuple[float, int]]


@dataclass
class Leaf:
    members: list[tuple[Point, int]]


@dataclass
class Inner:
    dim: int
    split: float
    left: Inner | Leaf
    right: Inner | Leaf


def build(members: list[tuple[Point, int]]) -> Inner | Leaf:
    """Split the dimension of widest spread at the median until at most ``LEAF_SIZE`` points are left."""
    if len(members) <= LEAF_SIZE:
        return Leaf(members)
    columns = list(zip(*(point for point, _ in members), strict=True))
    dim = max(range(len(columns)), key=lambda j: max(columns[j]) - min(columns[j]))
    members = sorted(members, key=lambda member: member[0][dim])
    middle = len(members) // 2
    return Inner(dim, members[middle][0][dim], build(members[:middle]), build(members[middle:]))


class Search:
    """The state of the search for one query; distances are squared for L2."""

    def __init__(self, query: Point, linf: bool, k: int, limit: float) -> None:
        self.query, self.linf, self.k, self.limit = query, linf, k, limit
        self.offsets = [0.0] * len(query)
        self.found: Found = []

    def visit(self, node: Inner | Leaf, cell: float) -> None:
        """Search below ``node``, whose cell is at distance ``cell``; ``limit`` is the farthest that still counts."""
        if isinstance(node, Leaf):
            for point, index in node.members:
                self.examine(point, index)
            return
        gap = self.query[node.dim] - node.split
        nearer, farther = (node.left, node.right) if gap < 0 else (node.right, node.left)
        self.visit(nearer, cell)
        old = self.offsets[node.dim]
        beyond = max(cell, abs(gap)) if self.linf else cell - old * old + gap * gap
        # The cell distance is kept by additions; one at the limit itself must not be lost to rounding.
        if beyond <= self.limit * (1 + 1e-12):
            self.offsets[node.dim] = abs(gap)
            self.visit(farther, beyond)
            self.offsets[node.dim] = old

    def examine(self, point: Point, index: int) -> None:
        if self.linf:
            far = max(abs(a - b) for a, b in zip(point, self.query, strict=True))
        else:
            far = sum((a - b) * (a - b) for a, b in zip(point, self.query, strict=True))
        if far > self.limit:
            return
        if not self.k:
            self.found.append((-far, -index))
        elif len(self.found) < self.k:
            heapq.heappush(self.found, (-far, -index))
        else:
            heapq.heappushpop(self.found, (-far, -index))
        if self.k and len(self.found) == self.k:
            self.limit = -self.found[0][0]


# Bounded by what plain Python does in about a second.
@implements(SUITE, arrays="python", dtypes=("float64", "float32"), limits={"n": 4000, "m": 500, "d": 40})
def knn(points: Any, queries: Any, k: int, radius: float, closed: bool, search: str, metric: str) -> Iterator[Any]:
    reject_nan(points)
    tree = build([(point, index) for index, point in enumerate(points)])
    yield None
    reject_nan(queries)
    linf = metric == "linf"
    edge = (radius if closed else math.nextafter(radius, -math.inf)) if linf else squared_limit(radius, closed)
    limit = math.inf if search == "nearest" else edge
    distances: list[float] = []
    indices: list[int] = []
    offsets = [0]
    for query in queries:
        one = Search(query, linf, k if search == "nearest" else 0, limit)
        if limit >= 0:
            one.visit(tree, 0.0)
        ascending = sorted((-far, -index) for far, index in one.found)
        distances += [far if linf else math.sqrt(far) for far, _ in ascending]
        indices += [index for _, index in ascending]
        offsets.append(len(indices))
    yield distances, indices, offsets


def reject_nan(rows: Sequence[Point]) -> None:
    """:raises ValueError: a coordinate is NaN."""
    if any(math.isnan(value) for row in rows for value in row):
        raise ValueError("points and queries must not hold NaN")
