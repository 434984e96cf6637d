"""Where an all-reduce runs: the description that every implementation and the reference are given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

Transport = Literal["gloo", "shared", "throttled", "hosts", "distant_hosts"]

LINK_BYTES_PER_S = 100_000_000
"""What a rank may send in a second where its link is throttled."""
LINK_DELAY_S = 0.002
"""How long a byte is under way between hosts that are distant."""


@dataclass(frozen=True)
class Settings:
    """How many ranks there are and how they reach each other.

    :param repeats: how many all-reduces one call does one after the other, each in a buffer of its own.
    :param transport: ``gloo``, messages of gloo over the loopback interface; ``shared``, memory that all ranks see;
        ``throttled``, the same with each rank's sending held to :data:`LINK_BYTES_PER_S` by a token bucket; ``hosts``,
        gloo between network namespaces whose links the kernel holds to the same rate; ``distant_hosts``, the same with
        a delay of :data:`LINK_DELAY_S` on every link.
    """

    ranks: int
    repeats: int
    transport: Transport


class Link(NamedTuple):
    """The constants of the simulator's machine: every rank has one full-duplex link to a switch that never blocks.

    :param latency_s: what each message takes beside its bytes, usually written α.
    :param s_per_byte: the inverse of a link's rate, β.
    :param reduction_s_per_byte: what adding takes for each byte that has arrived, γ.
    """

    latency_s: float
    s_per_byte: float
    reduction_s_per_byte: float = 0.0


@dataclass(frozen=True)
class Traffic:
    """What the ranks did in one all-reduce, counted as it happened; every array has one int64 for each rank.

    :param additions: of two numbers.
    """

    messages: np.ndarray
    sent_bytes: np.ndarray
    received_bytes: np.ndarray
    additions: np.ndarray


COUNTS = ("messages", "sent_bytes", "received_bytes", "additions")


@dataclass(frozen=True)
class Simulated(Traffic):
    """The same of a simulated all-reduce, and when its last rank had ended."""

    duration_s: float
