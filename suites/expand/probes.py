"""What the claims count: errors, silent differences, gradients, cures, bytes, and verdicts of the overlap checker."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from harness.contract import Implementation, Probe, Unavailable
from suites.expand.layouts import MOST_DIMENSIONS, draw_layouts, overlaps

Counted = Mapping[str, Sequence[float]]

WIDTH = 1024
FACTORS = (10, 100, 1_000, 10_000)


def patterns(rng: np.random.Generator, implementation: None) -> Counted:
    """Patterns without a write that call backward, and writes without backward, on expanded tensors in float64.

    ``raising_before_backward``, ``raising_writes``: how many of each ``patterns`` and ``writes`` raise.
    ``wrong_gradients``: of the patterns that run, those whose gradient is not the sum over the copies, to the last bit.
    ``cured``: the share of what raised that succeeds after ``.clone()`` and holds what it gives out of place.
    """
    import torch

    from suites.expand.behaviour import listening, write_to_clone
    from suites.expand.patterns import COLUMNS, ROWS, expansions, uses, writes

    ways = list(expansions().values())
    weights = torch.tensor(rng.integers(-3, 4, size=(ROWS, COLUMNS)), dtype=torch.float64)
    base = torch.tensor(1.0 + rng.permutation(ROWS)[:, None], dtype=torch.float64)
    raising, wrong, cures = 0, 0, []
    for index, use in enumerate(uses().values()):
        way = ways[index % len(ways)]
        leaf, whole = base.clone().requires_grad_(), way(base).clone().requires_grad_()
        use(whole, weights).backward()
        expected = whole.grad.sum(dim=1, keepdim=True)
        try:
            use(way(leaf), weights).backward()
        except RuntimeError:
            raising += 1
            leaf = base.clone().requires_grad_()
            cures.append(_gradient_of_clone(use, way, leaf, weights, expected))
            continue
        wrong += leaf.grad is None or not torch.equal(leaf.grad, expected)
    raising_writes = 0
    for index, (write, plain) in enumerate(writes().values()):
        way = ways[index % len(ways)]
        try:
            with listening():
                write(way(base.clone()), weights)
        except RuntimeError:
            raising_writes += 1

            def write_weights(target: Any, write: Any = write) -> None:
                write(target, weights)

            after = write_to_clone(write_weights, base, way)
            cures.append(torch.equal(after, plain(way(base), weights)))
    return {
        "patterns": [len(uses())],
        "writes": [len(writes())],
        "raising_before_backward": [raising],
        "raising_writes": [raising_writes],
        "wrong_gradients": [wrong],
        "cured": [_share(cures)],
    }


def _gradient_of_clone(
    use: Callable[..., Any], way: Callable[..., Any], leaf: Any, weights: Any, expected: Any
) -> bool:
    import torch

    try:
        use(way(leaf).clone(), weights).backward()
    except RuntimeError:
        return False
    return bool(torch.equal(leaf.grad, expected))


def writing(rng: np.random.Generator, implementation: Implementation, group: str) -> Counted:
    """Every operation of a group that torch offers, on what the implementation makes of a base, in both of its modes.

    Each is counted under the most harmful of its answers over the dtypes, see :mod:`suites.expand.behaviour`:
    ``raise``, ``match``, ``warned_match``, ``differ_base``, ``differ``; in deterministic mode with ``deterministic_``
    in front. ``silent`` are those of ``differ_base`` and ``differ`` that do not even warn. ``outside``: those that
    write to memory that is not the base's. ``found``: operations; ``tested``: those for which arguments were found.
    ``cured``: the share of the raising calls (default mode) that succeed on a clone and hold what they return out of
    place.
    """
    from suites.expand.survey import cured, find_calls, survey

    make = _maker(implementation)
    calls = find_calls(group)  # type: ignore[arg-type]
    counted: dict[str, list[float]] = {"found": [len(calls)], "tested": [sum(1 for each in calls.values() if each)]}
    for deterministic in (False, True):
        findings = survey(calls, make, deterministic=deterministic)
        prefix = "deterministic_" if deterministic else ""
        for name, count in _tally(finding.worst for finding in findings).items():
            counted[prefix + name] = [count]
        if not deterministic:
            cures = [
                cured(trial, make)
                for finding in findings
                for trial, behaviour in finding.calls
                if behaviour.answer.startswith("raise")
            ]
            counted["cured"], counted["raising_calls"] = [_share(cures)], [len(cures)]
    return counted


def _tally(behaviours: Iterable[Any]) -> dict[str, int]:
    names = ("raise", "match", "warned_match", "differ_base", "differ", "silent", "outside", "raised_after_writing")
    counts = Counter(dict.fromkeys(names, 0))
    for behaviour in behaviours:
        if behaviour is None:
            continue
        if behaviour.answer.startswith("raise"):
            counts["raise"] += 1
            counts["raised_after_writing"] += behaviour.wrote
            continue
        warned_match = behaviour.answer == "match" and behaviour.warned
        counts["warned_match" if warned_match else behaviour.answer.replace("-", "_")] += 1
        counts["silent"] += behaviour.answer != "match" and not behaviour.warned
        counts["outside"] += behaviour.outside
    return dict(counts)


def strides(rng: np.random.Generator, implementation: None, compiled: bool) -> Counted:
    """Writes into views that overlap without a stride of 0.

    ``raising_share``: of all pairs of a view and a write; ``differ``, ``differ_base``, ``match``: how many do that.
    """
    from suites.expand.strides import write_compiled, write_eagerly

    try:
        found = write_compiled() if compiled else write_eagerly()
    except Exception as error:
        if compiled:
            reason = str(error).strip().split("\n")[0]
            raise Unavailable(f"torch.compile does not work here: {type(error).__name__}: {reason}") from error
        raise
    answers = Counter(behaviour.answer for behaviour in found.values())
    return {
        "raising_share": [(answers["raise"] + answers["raise another"]) / len(found)],
        **{name.replace("-", "_"): [answers[name]] for name in ("match", "differ-base", "differ")},
    }


def checker(rng: np.random.Generator, implementation: Implementation, count: int) -> Counted:
    """``false_negatives`` and ``false_positives`` of an exact checker on ``count`` random layouts of 1 to 6 dimensions,
    against all addresses written down; ``overlapping``: how many of them overlap."""
    wrong = {"false_negatives": 0, "false_positives": 0, "overlapping": 0}
    for dims in range(1, MOST_DIMENSIONS + 1):
        layouts = draw_layouts(rng, -(-count // MOST_DIMENSIONS), dims)
        found = np.asarray(_counters(implementation)(layouts)) == 1
        right = np.array([overlaps(*each) for each in layouts])
        wrong["false_negatives"] += int((right & ~found).sum())
        wrong["false_positives"] += int((found & ~right).sum())
        wrong["overlapping"] += int(right.sum())
    return {name: [number] for name, number in wrong.items()}


def storage(rng: np.random.Generator, implementation: Implementation) -> Counted:
    """By factor: ``excess_bytes_FACTOR``, storage of x (1, 1024) float32 brought to so many rows, less that of x;
    ``copies_FACTOR``, the same over it; ``shared_FACTOR``, 1 if both are one storage."""
    import torch

    x = torch.arange(float(WIDTH))[None]
    own = x.untyped_storage()
    counted: dict[str, list[float]] = {}
    for factor in FACTORS:
        whole = _maker(implementation)(x, (factor, WIDTH)).untyped_storage()
        counted[f"excess_bytes_{factor}"] = [whole.nbytes() - own.nbytes()]
        counted[f"copies_{factor}"] = [whole.nbytes() / own.nbytes()]
        counted[f"shared_{factor}"] = [own.data_ptr() == whole.data_ptr()]
    return counted


def _maker(implementation: Implementation) -> Callable[..., Any]:
    """``(x, shape)`` to the tensor of that shape, as the implementation makes it."""
    return _counters(implementation)


def _counters(implementation: Implementation) -> Callable[..., Any]:
    if implementation.counters is None:
        raise ValueError(f"{implementation.function.__module__} has no counters")
    return implementation.counters


def _share(outcomes: Sequence[bool]) -> float:
    return sum(outcomes) / len(outcomes) if outcomes else 1.0


PROBES = {
    "patterns": Probe(patterns, unit="patterns"),
    "writing": Probe(writing, unit="operations", timeout_s=300.0),
    "strides": Probe(strides, unit="1", timeout_s=300.0),
    "checker": Probe(checker, unit="layouts"),
    "storage": Probe(storage, unit="bytes"),
}
