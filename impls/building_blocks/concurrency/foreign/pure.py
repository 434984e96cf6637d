"""The tasks that need nothing but Python itself, so that every interpreter and every worker can import them at once.

Spawned processes import this module and nothing else of the project, and other interpreters this folder alone; hence
the constants of the job's description stand here once more.
"""

from __future__ import annotations

import time

MASK = 2**31 - 1
MULTIPLIER, INCREMENT = 1_103_515_245, 12_345
KEYS = 1_009
KEY_STEP = 7
ATTRIBUTE_STEP = 3
DIGEST_BYTES = 6


def nothing() -> None:
    """What a worker does that is only started and ended."""


def generate(seed: int, steps: int) -> int:
    """A linear congruential generator: a loop over whole numbers that never lets go of the interpreter lock."""
    state = seed
    for _ in range(steps):
        state = (state * MULTIPLIER + INCREMENT) & MASK
    return state


def count(seed: int, steps: int) -> int:
    """Counting in a dictionary."""
    counts: dict[int, int] = {}
    for number in range(steps):
        key = (seed + KEY_STEP * number) % KEYS
        counts[key] = counts.get(key, 0) + number
    return sum(key * value for key, value in counts.items()) & MASK


class _Point:
    def __init__(self, x: int, y: int) -> None:
        self.x = x
        self.y = y


def move(seed: int, steps: int) -> int:
    """Reading and writing attributes of an object."""
    point = _Point(seed, seed & 255)
    for _ in range(steps):
        point.x = (point.x + point.y) & MASK
        point.y = (point.y + ATTRIBUTE_STEP) & MASK
    return point.x ^ point.y


def _add(state: int, number: int) -> int:
    return (state + number) & MASK


def call(seed: int, steps: int) -> int:
    """Calling a function."""
    state = seed
    for number in range(steps):
        state = _add(state, number)
    return state


def digest(content: bytes | memoryview) -> int:
    """SHA-256, during which ``hashlib`` lets go of the interpreter lock where there are more than 2,047 bytes."""
    import hashlib  # here, since loading OpenSSL takes longer than starting many a worker that does not need it

    return int.from_bytes(hashlib.sha256(content).digest()[:DIGEST_BYTES], "big")


def wait(number: int, duration_s: float) -> int:
    """What an answer from elsewhere costs: no CPU."""
    time.sleep(duration_s)
    return number


OF_STEPS = {"python": generate, "dict": count, "attributes": move, "calls": call}
