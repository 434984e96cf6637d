"""The same function on many items in processes of their own, since drawing takes longer than everything else."""

from __future__ import annotations

import multiprocessing
import sys
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from typing import TypeVar

from harness.environment import usable_cpus

Item = TypeVar("Item")
Result = TypeVar("Result")

FEWEST_ITEMS = 4
"""With fewer the processes cost more than they save."""


def map_in_processes(function: Callable[[Item], Result], items: Sequence[Item], processes: int = 0) -> list[Result]:
    """``function`` of every item, in their order; in this process where there is one CPU, or no Linux to fork safely.

    Forked processes know everything that this one knows, so that only results are sent. What an item raises in its
    process is raised here, by doing it once more.

    :param processes: as many as there are usable CPUs when it is 0.
    """
    count = min(processes or usable_cpus(), len(items))
    if count < 2 or (len(items) < FEWEST_ITEMS and not processes) or sys.platform != "linux":
        return [function(item) for item in items]
    context = multiprocessing.get_context("fork")
    workers = []
    for number in range(count):
        receiver, sender = context.Pipe(duplex=False)
        share = range(number, len(items), count)
        worker = context.Process(target=_work, args=(function, items, share, sender), daemon=True)
        worker.start()
        sender.close()
        workers.append((worker, receiver, share))
    results: dict[int, Result] = {}
    for worker, receiver, share in workers:
        try:
            results |= dict(zip(share, receiver.recv(), strict=False))
        except EOFError:  # it raised, or was killed
            pass
        finally:
            receiver.close()
        worker.join()
    return [results[place] if place in results else function(item) for place, item in enumerate(items)]


def _work(
    function: Callable[[Item], Result], items: Sequence[Item], share: range, sender: Connection[list[Result], None]
) -> None:
    sender.send([function(items[place]) for place in share])
    sender.close()
