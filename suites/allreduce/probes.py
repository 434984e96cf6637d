"""What the claims count and compare without a clock: messages and bytes, equality of bits, simulated time."""

from __future__ import annotations

import hashlib
import math
from typing import Any, Literal

import numpy as np

from harness.contract import Implementation, Probe
from suites.allreduce.data import draw
from suites.allreduce.model import ITEMSIZE, least_bytes, table
from suites.allreduce.reference import error_over_bound
from suites.allreduce.settings import Link, Settings, Traffic, Transport

SIMULATED_LINK = Link(latency_s=10e-6, s_per_byte=1e-9)
"""10 µs and 1 GB/s, adding for nothing."""
LARGE = 1_000_003


def traffic(
    rng: np.random.Generator,
    implementation: Implementation,
    where: Transport | Literal["simulator"],
    lowest: int,
    highest: int,
    beside: int = 0,
) -> dict[str, list[float]]:
    """Counters of one all-reduce against the formulas, for every number of ranks from ``lowest`` to ``highest``.

    Each on a length that the number of ranks and the largest power of two in it divide, and on one element more and
    one less.

    :param beside: one more number of ranks.
    :returns: the worst over the numbers of ranks: ``messages_off`` and ``bytes_off`` of the busiest rank from the
        table, both relative; ``messages_above`` and ``bytes_above``, by how much they are above it at most; for the
        lengths that nothing divides ``elements_off_per_step``, off for each of its messages; ``over_least``, what the
        busiest rank sends or receives over the least there is to move; ``root_bytes_off``, what rank 0 moves in and out
        from 2 (P - 1) S, relative.
    """
    name = implementation.function.__module__.rsplit(".", 1)[-1]
    found: dict[str, list[float]] = {}
    numbers = [*range(lowest, highest + 1), *[beside] * bool(beside)]
    for ranks in reversed(numbers):  # the first has all the processes that the others need
        even = 3 * math.lcm(ranks, 1 << (ranks.bit_length() - 1))
        for n in (even, even - 1, even + 1):
            counted = _counted(rng, implementation, ranks, n, where)
            for key, value in _against_table(name, counted, ranks, n).items():
                if key == "over_least" or (key == "elements_off_per_step") == (n != even):
                    found.setdefault(key, []).append(value)
    worst = {key: max(values, key=abs) for key, values in found.items()}
    worst |= {f"{what}_above": max(found[f"{what}_off"]) for what in ("messages", "bytes")}
    worst["over_least"] = min(found["over_least"])
    return {key: [value] for key, value in worst.items()}


def _counted(
    rng: np.random.Generator,
    implementation: Implementation,
    ranks: int,
    n: int,
    where: Transport | Literal["simulator"],
) -> Traffic:
    if implementation.counters is None:
        raise TypeError(f"{implementation.function.__module__} has no counters")
    if where == "simulator":
        counted: Traffic = implementation.counters(np.broadcast_to(np.float32(0), (ranks, n)), SIMULATED_LINK)
    else:
        counted = implementation.counters(draw(rng, "normal", ranks, n), Settings(ranks, 1, where))
    if counted.sent_bytes.sum() != counted.received_bytes.sum():
        raise ArithmeticError(f"{counted.sent_bytes.sum()} bytes were sent, {counted.received_bytes.sum()} received")
    return counted


def _against_table(name: str, counted: Traffic, ranks: int, n: int) -> dict[str, float]:
    expected = table(name, ranks, n)
    messages, sent = int(counted.messages.max()), int(counted.sent_bytes.max())
    moved = max(sent, int(counted.received_bytes.max()))
    root = int(counted.sent_bytes[0] + counted.received_bytes[0])
    return {
        "messages_off": messages / expected.messages - 1,
        "bytes_off": sent / expected.sent_bytes - 1,
        "elements_off_per_step": abs(sent - expected.sent_bytes) / ITEMSIZE / expected.messages,
        "over_least": moved / least_bytes(ranks, n),
        "root_bytes_off": root / (2 * (ranks - 1) * ITEMSIZE * n) - 1,
    }


def agreement(
    rng: np.random.Generator, implementation: Implementation, ranks: int, transport: Transport = "shared"
) -> dict[str, list[float]]:
    """The bits of sums of 0, 1, P - 1, P and 1,000,003 elements, normal ones and ones of mixed magnitude.

    :returns: ``digest``, 48 bits of a hash of all results in order, the same for implementations whose results are the
        same bit for bit; ``error_over_bound``, the largest error in units of what rounding allows.
    """
    digest = hashlib.blake2b(digest_size=6)
    worst = 0.0
    for n in (0, 1, ranks - 1, ranks, LARGE):
        for data in ("normal", "mixed"):
            addends = draw(rng, data, ranks, n)
            *_, sums = implementation.function(addends, Settings(ranks, 1, transport))
            digest.update(sums[0, 0].tobytes())
            if any(each.tobytes() != sums[0, 0].tobytes() for each in sums[:, 0]):
                worst = float("inf")
            exact = addends.sum(axis=0, dtype=np.float64)
            worst = max(worst, error_over_bound(sums[0, 0], addends, implementation.kind, exact))
    return {"digest": [float(int.from_bytes(digest.digest(), "big"))], "error_over_bound": [worst]}


def simulated(rng: np.random.Generator, implementation: Implementation, **case: Any) -> dict[str, list[float]]:
    """Duration of one simulated all-reduce in seconds: ``ranks``, ``n`` elements, links of 10 µs and 1 GB/s."""
    if implementation.counters is None:
        raise TypeError(f"{implementation.function.__module__} has no counters")
    addends = np.broadcast_to(np.float32(0), (case["ranks"], case["n"]))
    return {"duration_s": [implementation.counters(addends, SIMULATED_LINK).duration_s]}


PROBES = {
    "traffic": Probe(traffic, unit="1", timeout_s=600.0),
    "agreement": Probe(agreement, unit="1"),
    "simulated": Probe(simulated, unit="s", timeout_s=600.0),
}
