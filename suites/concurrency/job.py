"""What is to be done by how many workers: the description that every implementation and the reference are given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Task = Literal[
    "empty", "sum", "sha256", "filter", "python", "dict", "attributes", "calls", "wait", "ping_pong", "transfer"
]
Cpus = Literal["any", "one", "two"]

MODULUS = 2**31
MULTIPLIER, INCREMENT = 1_103_515_245, 12_345
KEYS = 1_009
KEY_STEP = 7
ATTRIBUTE_STEP = 3
PAGE_BYTES = 4_096
DIGEST_BYTES = 6


@dataclass(frozen=True)
class Job:
    """One task of fixed size, cut into pieces of about equal size, for a number of workers.

    Worker k has the pieces k, k + workers, k + 2 workers and so on. The pieces are the same whatever the number of
    workers, and so is the answer, one whole number for each piece:

    ``empty``      no piece: workers start and end, and that is all
    ``sum``        the sum of ``size`` whole numbers that are held as floating-point numbers
    ``sha256``     the first six bytes, the highest first, of the digest of each piece of ``size`` bytes
    ``filter``     the sum of the squares of a grey image of ``size`` rows after the weights 1 2 1 across and down
    ``python``     ``size`` steps of x <- (1103515245 x + 12345) mod 2**31
    ``dict``       ``size`` steps of counting i under the key (seed + 7 i) mod 1009; then the sum of keys times counts
    ``attributes`` ``size`` steps of p.x <- p.x + p.y and p.y <- p.y + 3, both mod 2**31; then p.x xor p.y
    ``calls``      ``size`` calls of a function that adds i to x mod 2**31
    ``wait``       nothing for ``size`` microseconds in all, as if for an answer from elsewhere; then its number from 1
    ``ping_pong``  ``size`` round trips of one byte, (seed + i) mod 256 in trip i, between the caller and one worker,
                   which sends it back; then the sum of what came back
    ``transfer``   ``size`` bytes of floating-point numbers to a running worker, which reads the first of every page
                   and answers with their sum

    :param cpus: whether the two that play ping-pong share one CPU, have one each, or are left to the system.
    """

    task: Task
    workers: int
    pieces: int
    size: int
    cpus: Cpus = "any"

    def bounds(self, piece: int) -> tuple[int, int]:
        """Where a piece begins and ends, counted in what ``size`` counts."""
        return piece * self.size // self.pieces, (piece + 1) * self.size // self.pieces
