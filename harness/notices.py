"""What a reader has to know of a figure, found in the records that it is made from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from harness.records import Record, Sample
from harness.statistics.interference import interferes

# A figure this close to the loop's own cost says as much of the loop as of the call.
FLOOR_FACTOR = 3.0

TEXTS: Mapping[str, str] = {
    "interference": "samples taken alone differ from those between others by more than 5 %",
    "trend": "still rising or falling when sampling ended",
    "budget": "sampling time used up before the interval was as narrow as asked",
    "enough": "all blocks were taken before the interval was as narrow as asked",
    "unsteady": "no steady state was reached in the warm-up",
    "gap": "the machine or this program stood still for over a second at a sample",
    "disturbed": "others used the CPUs, or a hypervisor kept them, during some samples",
    "throttled": "the GPU slowed itself down during some samples",
    "threads_changed": "it gave itself more threads or CPUs than the trial allows, and so more than the others",
    "left_processes": "it left processes behind, which were ended",
    "children_sampled": "memory of child processes is sampled, so a short peak may be missed",
}
"""Every notice that is not an instrument's own text."""


def notices_of(records: Sequence[Record]) -> tuple[str, ...]:
    """The keys of :data:`TEXTS` and instruments' own flags that apply to these rounds of one contestant."""
    found: dict[str, None] = {}
    for record in records:
        found |= dict.fromkeys(record.flags)
        found |= dict.fromkeys(flag for sample in record.measured for flag in sample.flags)
        if record.stopped == "trend":
            found["trend"] = None
        if interferes(_totals(record.measured), _totals(record.isolated)):
            found["interference"] = None
    if records and all(record.stopped in ("budget", "enough") for record in records):
        found[records[-1].stopped] = None
    return tuple(found)


def floor_ns(records: Iterable[Record]) -> float:
    """The total below which a time cannot be told from the timing loop's own cost; 0 where that was not recorded."""
    overheads = [record.calibration.get("loop_overhead_ns", 0.0) for record in records]
    return FLOOR_FACTOR * max(overheads, default=0.0)


def below_floor(floor: float) -> str:
    """Why a time below ``floor`` ns is not shown."""
    return f"under {floor:.3g} ns, {FLOOR_FACTOR:g} times what nothing at all comes to in the timing loop"


def _totals(samples: Iterable[Sample]) -> list[float]:
    return [sum(sample.values.values()) for sample in samples]
