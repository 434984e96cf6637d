"""Time that passes only when somebody waits or works, so that a recorded trace is replayed the same way every time."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class ReplayedTime:
    """A clock in seconds that reading it moves by ``step_s``; what polls in the background does so when it is due."""

    def __init__(self, step_s: float = 1e-6) -> None:
        self._step_s = step_s
        self.now_s = 0.0
        self._due_s = float("inf")
        self._interval_s = 0.0
        self._poll: Callable[[], None] = lambda: None

    def clock(self) -> float:
        self.now_s += self._step_s
        return self.now_s

    def advance(self, seconds: float) -> None:
        """Let time pass, as ``time.sleep`` or a call does."""
        end_s = self.now_s + seconds
        while self._due_s <= end_s:
            self.now_s = max(self.now_s, self._due_s)
            self._due_s += self._interval_s
            self._poll()
        self.now_s = max(self.now_s, end_s)

    @contextmanager
    def background(self, poll: Callable[[], None], interval_s: float) -> Iterator[None]:
        self._poll, self._interval_s, self._due_s = poll, interval_s, self.now_s + interval_s
        yield
        self._due_s = float("inf")

    @contextmanager
    def nothing_in_the_background(self, poll: Callable[[], None], interval_s: float) -> Iterator[None]:
        """As when every call holds the interpreter's lock, so that no other thread gets a turn."""
        yield


def every(count: int) -> Callable[[], bool]:
    """True at each ``count``-th time it is asked."""
    numbers = itertools.count(1)
    return lambda: next(numbers) % count == 0
