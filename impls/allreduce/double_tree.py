"""Two binary trees with half the buffer each; who passes on in one is a leaf of the other (Sanders et al. 2009).

Segments go up the trees one after another, and come down again while later ones go up.
"""

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
    """A rank passes on what it has from the tree that it is an inner node of before it waits for the other's."""
    first, second = split((0, length), 2)
    both = [(place(rank, ranks), first), (second_place(rank, ranks), second)]
    count = max(len(segments(half)) for _, half in both)
    trees = [(each, split(half, count)) for each, half in both]
    trees.sort(key=lambda tree: not tree[0].children)
    lag = 2 * ranks.bit_length()
    for number in range(count + lag):
        if number < count:
            yield from _up([(each, cut[number]) for each, cut in reversed(trees)])
        if number >= lag:
            yield from _down([(each, cut[number - lag]) for each, cut in trees])


def _up(trees: list[tuple[Place, Span]]) -> Iterator[Step]:
    for (parent, children), span in trees:
        for child in children:
            yield Step(receives=(Receive(child, *span, add=True),))
        if parent >= 0:
            yield Step(sends=(Send(parent, *span),))


def _down(trees: list[tuple[Place, Span]]) -> Iterator[Step]:
    for (parent, children), span in trees:
        if parent >= 0:
            yield Step(receives=(Receive(parent, *span, add=False),))
        yield Step(sends=tuple(Send(child, *span) for child in children))


@implements(SUITE, kind="double_tree", counters=counted(schedule))
def all_reduce(addends: np.ndarray, settings: Settings) -> Iterator[Any]:
    yield from in_processes(by_schedule(schedule), addends, settings)
