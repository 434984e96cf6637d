"""What each algorithm sends and how long that takes by the α-β-γ model: the formulas that claims are held to.

Nothing is taken from here by an implementation or by the simulator, which count for themselves.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from suites.allreduce.settings import Link

ITEMSIZE = 4
SEGMENT = 16_384
"""Elements of a segment at most, in the algorithms that cut their chunks."""

OTHERS = (
    "parameter_server",
    "binomial_tree",
    "recursive_doubling",
    "halving_doubling",
    "segmented_ring",
    "double_tree",
)
ALGORITHMS = ("ring", *OTHERS)


class Busiest(NamedTuple):
    """What the rank that sends most sends in one all-reduce."""

    messages: int
    sent_bytes: float


def table(implementation: str, ranks: int, n: int) -> Busiest:
    """Messages and bytes of the busiest rank for ``n`` elements of four bytes, ``n`` a multiple of ``ranks``.

    Where doubling and halving have guests beyond a power of two, their hosts send one more message, the whole sum. The
    figures of the double tree are upper limits, for ranks that have two children.
    """
    size = ITEMSIZE * n
    levels = (ranks - 1).bit_length()
    power = 1 << (ranks.bit_length() - 1)
    guests = int(power < ranks)
    around = 2 * (ranks - 1) * size / ranks
    match implementation:
        case "parameter_server":
            return Busiest(ranks - 1, (ranks - 1) * size)
        case "binomial_tree":
            return Busiest(levels, levels * size)
        case "recursive_doubling":
            doublings = power.bit_length() - 1 + guests
            return Busiest(doublings, doublings * size)
        case "halving_doubling":
            return Busiest(2 * (power.bit_length() - 1) + guests, 2 * (power - 1) * size / power + guests * size)
        case "ring" | "reduce_scatter_all_gather":
            return Busiest(2 * (ranks - 1), around)
        case "segmented_ring":
            return Busiest(2 * (ranks - 1) * ring_segments(ranks, n), around)
        case "double_tree":
            return Busiest(4 * tree_segments(n), 2 * size)
    raise ValueError(f"no formula for {implementation!r}; there is one for {', '.join(ALGORITHMS)}")


def ring_segments(ranks: int, n: int) -> int:
    """Segments of a chunk of the segmented ring."""
    return max(1, math.ceil(math.ceil(n / ranks) / SEGMENT))


def tree_segments(n: int) -> int:
    """Segments of each half of the buffer in the double tree."""
    return max(1, math.ceil(math.ceil(n / 2) / SEGMENT))


def least_bytes(ranks: int, n: int) -> float:
    """What the busiest rank of any all-reduce must send or receive (Patarasuk and Yuan 2009, theorem 1)."""
    return 2 * (ranks - 1) * ITEMSIZE * n / ranks


def critical_path(implementation: str, n: int, ranks: int, **others: Any) -> tuple[float, float, float]:
    """Messages, bytes and bytes added, one after the other, that the time of an all-reduce is made of.

    Thakur, Rabenseifner and Gropp 2005, section 4, and for the segmented ring and the double tree the same reasoning
    with the adding of all but the last segment hidden behind transfers.
    """
    size = float(ITEMSIZE * n)
    levels = (ranks - 1).bit_length()
    power = 1 << (ranks.bit_length() - 1)
    guests = int(power < ranks)
    doublings = power.bit_length() - 1
    part = (ranks - 1) / ranks * size
    match implementation:
        case "parameter_server":
            return 2.0 * (ranks - 1), 2 * (ranks - 1) * size, (ranks - 1) * size
        case "binomial_tree":
            return 2.0 * levels, 2 * levels * size, levels * size
        case "recursive_doubling":
            return doublings + 2.0 * guests, (doublings + 2 * guests) * size, (doublings + guests) * size
        case "halving_doubling":
            half = (power - 1) / power * size
            return 2.0 * (doublings + guests), 2 * half + 2 * guests * size, half + guests * size
        case "ring":
            return 2.0 * (ranks - 1), 2 * part, part
        case "segmented_ring":
            cut = ring_segments(ranks, n)
            return 2.0 * (ranks - 1) * cut, 2 * part, part / cut
        case "double_tree":
            cut = tree_segments(n)
            segment = size / 2 / cut
            return 4.0 * cut + 2 * levels, 2 * size + 2 * levels * segment, 2 * levels * segment
    raise ValueError(f"no formula for {implementation!r}; there is one for {', '.join(ALGORITHMS)}")


def duration_s(implementation: str, n: int, ranks: int, link: Link) -> float:
    """The time of one all-reduce by the model."""
    return sum(count * constant for count, constant in zip(critical_path(implementation, n, ranks), link, strict=True))


def crossover_bytes(ranks: int, link: Link) -> float:
    """The size from which on a ring takes no longer than recursive doubling, for a power of two of ranks.

    Infinite where the ring never catches up, as with two ranks.
    """
    levels = ranks.bit_length() - 1
    latency = (2 * (ranks - 1) - levels) * link.latency_s
    share = (ranks - 1) / ranks
    saved = (levels - 2 * share) * link.s_per_byte + (levels - share) * link.reduction_s_per_byte
    return latency / saved if saved > 0 else float("inf")
