"""CPU time that was not this process's own while a sample was taken: used by others, or kept by a hypervisor.

Contestants with one thread are compared on one CPU in turns of milliseconds, which a neighbour hits alike. Those that
need several CPUs at once are slowed down where one of them is taken, and not alike: that has to be known.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from harness.instruments.process_tree import descendants
from harness.instruments.timing import PhaseTimes

DISTURBED = "disturbed"
LEAST_S = 0.1
"""The kernel counts in ticks, commonly of 10 ms: of shorter samples it says nothing."""
FEW_TICKS = 3
NEGLIGIBLE_SHARE = 0.02
_STAT = Path("/proc/stat")


@dataclass(frozen=True)
class _Times:
    """CPU seconds so far, of the machine and of this process with its descendants."""

    now_s: float
    busy_s: float
    steal_s: float
    own_s: float


class ForeignLoad:
    """Reads what others used around a sample, where the system tells (``/proc/stat``, proc_stat(5)).

    :param stat: the file with the machine's counters.
    """

    def __init__(self, stat: Path = _STAT) -> None:
        self._stat = stat
        self._tick_s = 1 / os.sysconf("SC_CLK_TCK")

    def around(self, take: Callable[[], PhaseTimes]) -> tuple[PhaseTimes, dict[str, float], tuple[str, ...]]:
        """Take the sample: its values, ``steal_s`` and ``foreign_s`` beside, and a flag where they are not negligible.

        Nothing is said of a sample that is too short for it.
        """
        before = self._read()
        values = take()
        after = self._read()
        if before is None or after is None or after.now_s - before.now_s < LEAST_S:
            return values, {}, ()
        steal_s = after.steal_s - before.steal_s
        foreign_s = max(after.busy_s - before.busy_s - (after.own_s - before.own_s), 0.0)
        negligible_s = FEW_TICKS * self._tick_s + NEGLIGIBLE_SHARE * (after.now_s - before.now_s)
        flags = (DISTURBED,) if steal_s + foreign_s > negligible_s else ()
        return values, {"steal_s": steal_s, "foreign_s": foreign_s}, flags

    def _read(self) -> _Times | None:
        try:
            counts = [int(field) for field in self._stat.read_text(encoding="ascii").split("\n", 1)[0].split()[1:]]
            user, nice, system, _, _, irq, softirq, steal = counts[:8]
        except (OSError, ValueError):
            return None
        busy_s = (user + nice + system + irq + softirq) * self._tick_s
        return _Times(os.times().elapsed, busy_s, steal * self._tick_s, _own_s())


def _own_s() -> float:
    """Of this process, the children that it has waited for, and those that live."""
    own_s = sum(os.times()[:4])
    for pid in descendants(os.getpid()):
        with suppress(psutil.Error):
            own_s += sum(psutil.Process(pid).cpu_times()[:4])
    return own_s
