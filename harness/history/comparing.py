"""Two files or runs against each other, whichever tools they are from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from harness.comparing import DEFAULT_THRESHOLD, Comparison, Incomparable, OtherMachine, decide
from harness.history.entries import DEARER_WHEN_MORE, Entry, Figure, History, ratio
from harness.history.machines import why_not_the_same
from harness.statistics.equivalence import simultaneous_confidence


@dataclass(frozen=True)
class Outcome:
    """What could be compared.

    :param left_out: what one side or both measured and was not compared, with the reason, by count.
    """

    comparisons: tuple[Comparison, ...]
    left_out: tuple[str, ...]


Dtypes = Mapping[str, Sequence[str]]
"""By suite its dtypes, of which asv measures the first that an implementation has."""


def compare_histories(
    base: History,
    head: History,
    threshold: float = DEFAULT_THRESHOLD,
    dtypes: Dtypes | None = None,
    across_machines: bool = False,
) -> Outcome:
    """Every benchmark that both sides measured, by what it costs.

    The sides were not interleaved: whatever changed on the machine between them is part of the ratio. The intervals
    hold all together with 95 % confidence, as far as the figures that they are made from allow.

    :param across_machines: the ratios are of two machines then, and say nothing of the code.
    :raises OtherMachine: the machines differ, or are not said.
    :raises Incomparable: the sides share nothing.
    """
    reason = "" if across_machines else why_not_the_same(base.machine, head.machine)
    if reason:
        raise OtherMachine(f"{base.source} and {head.source} cannot be compared: {reason}")
    outcome = compare_entries(base.entries, head.entries, threshold, dtypes)
    if not outcome.comparisons:
        why = f" ({'; '.join(outcome.left_out)})" if outcome.left_out else ""
        raise Incomparable(f"{base.source} and {head.source} share no benchmark that both measured{why}")
    return outcome


def compare_entries(
    base: Iterable[Entry], head: Iterable[Entry], threshold: float, dtypes: Dtypes | None = None
) -> Outcome:
    """The same without looking at the machines."""
    left_out: Counter[str] = Counter()
    pairs = list(_pairs(list(base), list(head), dtypes or {}, left_out))
    confidence = simultaneous_confidence(len(pairs))
    comparisons = []
    for entry, above, below in pairs:
        try:
            found = ratio(above, below, confidence)
        except ValueError:  # memory that did not grow has no ratio
            left_out["a value is not positive, so there is no ratio"] += 1
            continue
        comparisons.append(
            Comparison(
                suite=entry.suite,
                implementation=entry.implementation,
                case=entry.case,
                device=entry.device,
                dtype=entry.dtype,
                threads=entry.threads,
                instrument=entry.instrument,
                ratio=found,
                verdict=decide(found, threshold),
                unit=entry.unit,
                base=below.estimate(),
                head=above.estimate(),
            )
        )
    return Outcome(tuple(comparisons), tuple(f"{count} left out: {reason}" for reason, count in left_out.items()))


def _pairs(
    base: Sequence[Entry], head: Sequence[Entry], dtypes: Dtypes, left_out: Counter[str]
) -> Iterator[tuple[Entry, Figure, Figure]]:
    """Head's entries with the figures of head and base; what has none is counted by the reason."""
    old = _by_key(base)
    new = _by_key(head)
    left_out.update({"only the base has it": len(old.keys() - new.keys())})
    for key, candidates in new.items():
        if key not in old:
            left_out["only the head has it"] += 1
            continue
        for entry, other in _of_one_dtype(candidates, old[key], dtypes):
            if entry.figure is None or other.figure is None:
                left_out["one side has no figure for it"] += 1
            elif entry.instrument not in DEARER_WHEN_MORE:
                left_out["no one can tell which direction is dearer"] += 1
            elif entry.version != other.version and entry.version and other.version:
                left_out["the benchmark itself was changed in between"] += 1
            else:
                yield entry, entry.figure, other.figure
    for reason in [reason for reason, count in left_out.items() if not count]:
        del left_out[reason]


def _by_key(entries: Iterable[Entry]) -> dict[tuple[object, ...], dict[str, Entry]]:
    """Entries that have a figure or should have, by what was measured and by dtype."""
    found: dict[tuple[object, ...], dict[str, Entry]] = {}
    for entry in entries:
        if entry.status != "unavailable":
            found.setdefault(entry.key, {}).setdefault(entry.dtype, entry)
    return found


def _of_one_dtype(
    head: Mapping[str, Entry], base: Mapping[str, Entry], dtypes: Dtypes
) -> Iterator[tuple[Entry, Entry]]:
    """Entries of the same dtype; where a side does not say its dtype it is the suite's first that the other has."""
    for dtype, entry in head.items():
        if dtype in base:
            yield entry, base[dtype]
        elif not dtype:
            yield entry, base[_first(base, dtypes.get(entry.suite, ()))]
        elif "" in base and dtype == _first(head, dtypes.get(entry.suite, ())):
            yield entry, base[""]


def _first(entries: Mapping[str, Entry], order: Sequence[str]) -> str:
    return next((dtype for dtype in order if dtype in entries), next(iter(entries)))
