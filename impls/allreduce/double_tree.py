"""Two binary trees with half the buffer each; who passes on in one is a leaf of the other (Sanders et al. 2009)."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from harness.contract import implements
from impls.building_blocks.allreduce.steps import Receive, Send, Span, Step, segments, split
from impls.building_blocks.allreduce.team import by_schedule, counted, in_processes
from suites.allreduce.suite import SUITE, Settings


class Place(NamedTuple):
    """A rank's place in a tree; the root's parent is -1."""

    parent: int
    children: tuple[int, ...]


def place(rank: int, ranks: int) -> Place:
    """In the tree of NCCL: rank 0 above the largest power of two; odd ranks are leaves."""
    if rank == 0:
        return Place(-1, (1 << (ranks - 1).bit_length() - 1,) if ranks > 1 else ())
    lowest = rank & -rank
    parent = (rank ^ lowest) | lowest << 1
    if parent >= ranks:
        parent = rank ^ lowest
    right = lowest >> 1
    while right and rank + right >= ranks:
        right >>= 1
    left = rank - (lowest >> 1)
    return Place(parent, tuple(child for child in (left, rank + right) if child != rank))


def second_place(rank: int, ranks: int) -> Place:
    """In the mirror image of that tree, or for an odd number of ranks in the one that is shifted by one rank."""

    def renamed(each: int) -> int:
        return ranks - 1 - each if ranks % 2 == 0 else (each + 1) % ranks

    own = ranks - 1 - rank if ranks % 2 == 0 else (rank - 1) % ranks
    parent, children = place(own, ranks)
    return Place(-1 if parent < 0 else renamed(parent), tuple(renamed(child) for child in children))


def schedule(rank: int, ranks: int, length: int) -> Iterator[Step]:
    """All segments up, one after another, then all down.

    In the tree in which it is a leaf a rank sends ahead and receives behind, so that neither tree waits for the other.
    Up and down at the same time would be no faster: the links of an inner node are busy all the time.
    """
    first, second = split((0, length), 2)
    both = [(place(rank, ranks), first), (second_place(rank, ranks), second)]
    count = max(len(segments(half)) for _, half in both)
    inner = [(each, split(half, count)) for each, half in both if each.children]
    outer = [(each, split(half, count)) for each, half in both if not each.children]
    # Of three ranks two are neighbours in both trees, which have to send each other in one order.
    levels = ranks.bit_length() if ranks > 3 else 0
    for number in range(-levels, count):
        for trees, at in ((outer, number + levels), (inner[::-1], number)):
            if 0 <= at < count:
                for tree, cut in trees:
                    yield from _up(tree, cut[at])
    for number in range(count + levels):
        for trees, at in ((inner, number), (outer, number - levels)):
            if 0 <= at < count:
                for tree, cut in trees:
                    yield from _down(tree, cut[at])


def _up(tree: Place, span: Span) -> Iterator[Step]:
    for child in tree.children:
        yield Step(receives=(Receive(child, *span, add=True),))
    if tree.parent >= 0:
        yield Step(sends=(Send(tree.parent, *span),))


def _down(tree: Place, span: Span) -> Iterator[Step]:
    if tree.parent >= 0:
        yield Step(receives=(Receive(tree.parent, *span, add=False),))
    yield Step(sends=tuple(Send(child, *span) for child in tree.children))


@implements(SUITE, kind="double_tree", counters=counted(schedule))
def all_reduce(addends: np.ndarray, settings: Settings) -> Iterator[Any]:
    yield from in_processes(by_schedule(schedule), addends, settings)
