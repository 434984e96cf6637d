"""The language of schedules: what one rank sends and receives, step by step, whatever carries it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

Span = tuple[int, int]
"""First element of a part of the buffer, and the one after its last."""

SEGMENT = 16_384
"""Elements that travel as one message where a schedule cuts its chunks: 64 KiB in float32, which stay in the cache."""


class Send(NamedTuple):
    """The elements ``start`` to ``stop`` - 1 of this rank's buffer, to ``peer``."""

    peer: int
    start: int
    stop: int


class Receive(NamedTuple):
    """The same elements of the buffer of ``peer``, added to one's own or put in their place."""

    peer: int
    start: int
    stop: int
    add: bool


class Step(NamedTuple):
    """All sends begin at once, what is received is taken in order, and the step ends when all of it is there.

    No element is received twice in one step.
    Sends may end later. No schedule writes what a send of an earlier step may still read: the value to be written
    depends on the other rank having had the old one. In an ``exchange`` two ranks send each other the elements that
    both add to, so that each waits until the other has them.
    """

    sends: tuple[Send, ...] = ()
    receives: tuple[Receive, ...] = ()
    exchange: bool = False


Schedule = Callable[[int, int, int], Iterable[Step]]
"""(rank, ranks, length of the buffer) to the rank's steps."""


def split(span: Span, parts: int) -> list[Span]:
    """``parts`` consecutive spans whose lengths differ by one at most; some are empty if there are fewer elements."""
    start, stop = span
    length = stop - start
    return [(start + length * i // parts, start + length * (i + 1) // parts) for i in range(parts)]


def segments(span: Span, longest: int = SEGMENT) -> list[Span]:
    """The fewest spans of nearly equal lengths of which none is longer than ``longest``; at least one."""
    return split(span, max(1, -(-(span[1] - span[0]) // longest)))


def shift(to: int, outgoing: Span, source: int, incoming: Span, *, add: bool) -> Step:
    """Send one span to a rank while another comes from a rank."""
    return Step((Send(to, *outgoing),), (Receive(source, *incoming, add),))


def folded(core: Schedule, rank: int, ranks: int, length: int) -> Iterator[Step]:
    """``core``, which needs a power of two, among the first 2^k ranks (Thakur, Rabenseifner and Gropp 2005, 4.5).

    Each of the others gives its values to one of those before, and gets the sum from it afterwards.
    """
    power = 1 << (ranks.bit_length() - 1)
    if rank >= power:
        yield Step(sends=(Send(rank - power, 0, length),))
        yield Step(receives=(Receive(rank - power, 0, length, add=False),))
        return
    guest = rank + power
    if guest < ranks:
        yield Step(receives=(Receive(guest, 0, length, add=True),))
    yield from core(rank, power, length)
    if guest < ranks:
        yield Step(sends=(Send(guest, 0, length),))


def plan(schedule: Schedule, rank: int, ranks: int, length: int) -> Sequence[Step]:
    """The rank's steps without empty messages, which nobody sends, and without empty steps."""
    steps = (
        Step(
            tuple(send for send in step.sends if send.start < send.stop),
            tuple(receive for receive in step.receives if receive.start < receive.stop),
            step.exchange,
        )
        for step in schedule(rank, ranks, length)
    )
    return [step for step in steps if step.sends or step.receives]
