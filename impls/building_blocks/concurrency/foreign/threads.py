"""Threads that are sent shares of work through queues: the same code here and in other interpreters."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from queue import SimpleQueue
from threading import Thread
from typing import Any

Share = Sequence[tuple[Callable[..., int], tuple[Any, ...]]]


def do(share: Share) -> list[int]:
    """The answers to one worker's share of the pieces."""
    return [function(*arguments) for function, arguments in share]


class Threads:
    """A number of threads, each with a queue of its own."""

    def __init__(self, workers: int) -> None:
        self._answers: SimpleQueue[tuple[int, Any]] = SimpleQueue()
        self._inboxes: list[SimpleQueue[Share | None]] = []
        self._threads: list[Thread] = []
        for number in range(workers):
            inbox: SimpleQueue[Share | None] = SimpleQueue()
            thread = Thread(target=self._serve, args=(number, inbox))
            thread.start()
            self._inboxes.append(inbox)
            self._threads.append(thread)

    def run(self, shares: Sequence[Share]) -> list[list[int]]:
        """The answers of every thread to its share; what one of them raises is raised here."""
        for inbox, share in zip(self._inboxes, shares):  # noqa: B905  there are as many
            inbox.put(share)
        answers: list[list[int]] = [[] for _ in self._inboxes]
        for _ in self._inboxes:
            number, answer = self._answers.get()
            if isinstance(answer, BaseException):
                raise answer
            answers[number] = answer
        return answers

    def join(self) -> None:
        """A thread cannot be ended from outside: it is let finish what it does."""
        for inbox in self._inboxes:
            inbox.put(None)
        for thread in self._threads:
            thread.join()
        self._inboxes, self._threads = [], []

    def _serve(self, number: int, inbox: SimpleQueue[Share | None]) -> None:
        while (share := inbox.get()) is not None:
            try:
                self._answers.put((number, do(share)))
            except BaseException as error:
                self._answers.put((number, error))
