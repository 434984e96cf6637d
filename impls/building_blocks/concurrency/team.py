"""What every team of workers can do, and the phases of a call that are made of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

import numpy as np

from impls.building_blocks.concurrency.pieces import Piece


class Team(Protocol):
    """Workers that are started, do pieces of work and end."""

    def start(self) -> None:
        """Return when every worker is there."""

    def run(self, pieces: Sequence[Piece]) -> np.ndarray:
        """The pieces' answers, int64 (pieces,). What a worker raises is raised here.

        :raises WorkerDied: one ended without an answer.
        """

    def join(self) -> None:
        """Let the workers end, and return when they have."""

    def abandon(self) -> None:
        """End what is left of them, at once where that can be done; nothing if they have ended."""


class WorkerDied(RuntimeError):
    """A worker ended before it had answered."""


def phases(team: Team, pieces: Sequence[Piece]) -> Iterator[np.ndarray | None]:
    """The phases of one call; whoever gives it up after any of them leaves no worker behind."""
    try:
        team.start()
        yield None
        yield team.run(pieces)
        team.join()
        yield None
    finally:
        team.abandon()
