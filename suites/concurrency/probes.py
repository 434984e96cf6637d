"""What the claims count and look up without a clock: where a worker's writes are seen, and how often it switches."""

from __future__ import annotations

import mmap
import os
import resource
import tempfile
from multiprocessing import resource_tracker
from multiprocessing.shared_memory import SharedMemory

import numpy as np

from harness.contract import Implementation, Probe
from suites.concurrency import places
from suites.concurrency.job import Cpus

TRIALS = 3
_BLOCK_BYTES = 64


def visibility(rng: np.random.Generator, implementation: Implementation) -> dict[str, list[float]]:
    """Whether what a worker writes is seen by its parent afterwards, by place: 1 or 0, three times each.

    ``implementation.counters(function, *arguments)`` has a new worker call the function. ``own_process`` is 1 where the
    writer was another process than the parent.
    """
    if implementation.counters is None:
        raise TypeError(f"{implementation.function.__module__} has no counters")
    resource_tracker.ensure_running()  # a fork would start one of its own, which removed the memory with it
    seen: dict[str, list[float]] = {name: [] for name in (*places.NAMES, "own_process")}
    shared = SharedMemory(create=True, size=_BLOCK_BYTES)
    try:
        with tempfile.NamedTemporaryFile() as file:
            file.write(bytes(_BLOCK_BYTES))
            file.flush()
            with mmap.mmap(file.fileno(), 0) as mapped:
                for _ in range(TRIALS):
                    places.forget()
                    value = int(rng.integers(1, 2**31))
                    implementation.counters(places.write, value, shared.name, file.name)
                    for name, there in places.found(value, shared, mapped).items():
                        seen[name].append(float(there))
                    seen["own_process"].append(float(places.writer(shared) != os.getpid()))
    finally:
        shared.close()
        shared.unlink()
    return seen


def switches(rng: np.random.Generator, implementation: Implementation, n: int, cpus: Cpus) -> dict[str, list[float]]:
    """Context switches of a ping-pong of ``n`` round trips, of this process and of those it waited for, per trip.

    :returns: ``all``, at least 2 where the two share one CPU, since neither runs while the other does; and of them the
        ``voluntary`` ones. These alone say less: who is woken by the byte may take the CPU from its writer, which then
        has lost it without having waited, and finds the answer there when it comes to read.
    """
    from suites.concurrency.suite import make_inputs

    inputs = make_inputs(rng, "ping_pong", workers=2, n=n, cpus=cpus)
    before = _switches()
    for _ in implementation.function(**inputs):
        pass
    voluntary, involuntary = _switches() - before
    return {"all": [float(voluntary + involuntary) / n], "voluntary": [float(voluntary) / n]}


def _switches() -> np.ndarray:
    """Voluntary and involuntary ones so far."""
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    counts: np.ndarray = np.sum([[usage.ru_nvcsw, usage.ru_nivcsw] for usage in usages], axis=0)
    return counts


PROBES = {
    "visibility": Probe(visibility, unit="1"),
    "switches": Probe(switches, unit="per round trip"),
}
