"""The gate from two checkouts to its findings: select, check, measure, decide."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date

from harness.gate.checking import Checked, check_head
from harness.gate.deciding import Decision, SequentialRule
from harness.gate.engines import GATE, Engines
from harness.gate.importing import preloadable
from harness.gate.measuring import Measuring, Pairing, Series
from harness.gate.noise import measure_twice, noise_of
from harness.gate.results import Compared, Fault, Findings
from harness.gate.rules import GATED, Rules
from harness.gate.selection import Selection, edited_since
from harness.gate.sides import Name, Side, contestants
from harness.plan import Scope
from harness.runner.run import Progress
from harness.runner.workers import Deadline, WorkerPool
from harness.seeds import derive_seed
from harness.statistics import Estimate
from harness.trials import InstrumentName, Trial


@dataclass(frozen=True)
class Course:
    """How a gate is held.

    :param cpus: CPUs that contestants with one thread are kept on.
    :param today: the day that accepted changes are held against.
    """

    scope: Scope
    rules: Rules
    cpus: tuple[int, ...]
    deadline: Deadline
    noise: bool
    today: date
    rule: SequentialRule = SequentialRule()  # noqa: RUF009 - it is immutable


def gate(
    base: Side,
    head: Side,
    selection: Selection,
    course: Course,
    open_progress: Callable[[int], Progress],
    new_pool: Callable[[Sequence[str]], AbstractContextManager[WorkerPool]],
) -> Findings:
    """What head costs over base.

    :param open_progress: given the number of rounds that there may be.
    :param new_pool: given the packages to import once for all workers.
    """
    begin_s = time.monotonic()
    findings = Findings(
        base=base.checkout.description,
        head=head.checkout.description,
        new=selection.new,
        removed=selection.removed,
        chosen=selection.chosen,
        skipped=selection.skipped,
        expired=course.rules.expired(course.today),
        notes=(*selection.notes, *course.rules.idle(head.catalogue)),
    )
    if selection.chosen or selection.new:
        findings = _measured(findings, base, head, selection, course, open_progress, new_pool)
    return dataclasses.replace(findings, elapsed_s=time.monotonic() - begin_s)


def _measured(
    findings: Findings,
    base: Side,
    head: Side,
    selection: Selection,
    course: Course,
    open_progress: Callable[[int], Progress],
    new_pool: Callable[[Sequence[str]], AbstractContextManager[WorkerPool]],
) -> Findings:
    scope, common = course.scope, set(selection.chosen)
    twice = []
    if course.noise and common:
        open_progress(0).step("the same work twice, to see what this machine does")
        twice = measure_twice(GATE, course.rule.looks[0], derive_seed(scope.seed, "noise"), course.cpus)
    preload = preloadable(head.project.preload, selection.packages, (base.checkout, head.checkout))
    with new_pool(preload) as pool:
        pool.new_server(derive_seed(scope.seed, "server", "check"))
        engines = Engines(base, head, GATE, pool, scope.cpu_count, course.cpus)
        checked = check_head(base, head, common, set(selection.new), scope, engines, open_progress(0), course.deadline)
        pairings, left_out = _pairings(base, head, common - checked.faulty, scope, course.rules)
        rules = _rules(course.rule, pairings)
        progress = open_progress(len(pairings) * course.rule.last)
        finished = Measuring(pairings, rules, engines, progress, course.deadline, scope.seed).run()
    _note_faults(pairings, checked)
    not_right = {*checked.left_out, *(fault.name for fault in (*checked.broken, *checked.hindered))}
    changed = _edited(head, selection)
    return dataclasses.replace(
        findings,
        compared=tuple(_compared(pairings, course)),
        broken=tuple(checked.broken),
        hindered=(*checked.hindered, *changed),
        broken_before=tuple(checked.broken_before),
        left_out={**checked.left_out, **left_out, **_left_out(pairings)},
        new=tuple(name for name in selection.new if "/".join(name) not in not_right),
        noise=noise_of(twice, rules["time"], course.rules.thresholds["time"]),
        finished=finished,
    )


def _rules(rule: SequentialRule, pairings: Sequence[Pairing]) -> dict[InstrumentName, SequentialRule]:
    """The comparisons of one instrument share the error: a table of peaks must not make the times less certain."""
    counts = {each: sum(each in pairing.series for pairing in pairings) for each in GATED}
    return {each: dataclasses.replace(rule, comparisons=max(count, 1)) for each, count in counts.items()}


def _pairings(
    base: Side, head: Side, names: set[Name], scope: Scope, rules: Rules
) -> tuple[list[Pairing], dict[str, str]]:
    """The cases that both sides have, and those that one of them lacks, with the side."""
    plans = [side.plan(names, dataclasses.replace(scope, instruments=GATED), GATE) for side in (base, head)]
    trials = [contestants(trial for contest in plan.contests for trial in contest) for plan in plans]
    beside = {trial for plan in plans for trial in plan.singles}
    pairings = []
    left_out = {_shown(trial): "only base has this case" for key, trial in trials[0].items() if key not in trials[1]}
    for key, trial in trials[1].items():
        if key not in trials[0]:
            left_out[_shown(trial)] = "only head has this case"
            continue
        instruments: list[InstrumentName] = [
            instrument
            for instrument in GATED
            if instrument in scope.instruments
            and (instrument == "time" or dataclasses.replace(trial, instrument=instrument) in beside)
        ]
        name = (trial.suite, trial.implementation)
        series = {each: Series(each, rules.threshold(name, each)) for each in instruments}
        pairings.append(Pairing(trial, series))
    return pairings, left_out


def _note_faults(pairings: Sequence[Pairing], checked: Checked) -> None:
    for pairing in pairings:
        if pairing.faults:
            one = pairing.faults.get("head")
            before = pairing.faults.get("base")
            if one is not None:
                checked.judge(one, before)
            elif before is not None:
                case = f"{pairing.trial.case.label} {pairing.trial.dtype}"
                checked.broken_before.append(
                    Fault(pairing.trial.suite, pairing.trial.implementation, case, before.status, before.reason)
                )


def _left_out(pairings: Sequence[Pairing]) -> Mapping[str, str]:
    return {
        f"{_shown(pairing.trial)} {series.instrument}": series.left_out
        for pairing in pairings
        if not pairing.faults
        for series in pairing.series.values()
        if series.left_out
    }


def _compared(pairings: Sequence[Pairing], course: Course) -> list[Compared]:
    return [
        _row(pairing.trial, series, course)
        for pairing in pairings
        if not pairing.faults
        for series in pairing.series.values()
        if not series.left_out
    ]


def _row(trial: Trial, series: Series, course: Course) -> Compared:
    decision = series.decision or Decision(Estimate.without_interval(float("nan"), 0), "undecided", 0)
    name = (trial.suite, trial.implementation)
    slower = decision.verdict == "slower"
    return Compared(
        suite=trial.suite,
        implementation=trial.implementation,
        case=trial.case.label,
        device=trial.device,
        dtype=trial.dtype,
        threads=trial.threads,
        instrument=series.instrument,
        ratio=decision.ratio,
        verdict=decision.verdict,
        threshold=series.threshold,
        rounds=decision.rounds,
        base_value=series.median("base"),
        head_value=series.median("head"),
        accepted=course.rules.acceptance(name, series.instrument, decision.ratio, course.today) if slower else None,
    )


def _edited(head: Side, selection: Selection) -> tuple[Fault, ...]:
    """What somebody changed in the working tree while it was measured: the figures are of neither state."""
    return tuple(
        Fault(*name, "", "changed", f"{file} was edited while it was measured; run the gate again")
        for name, file in edited_since(head, selection.code).items()
    )


def _shown(trial: Trial) -> str:
    return f"{trial.suite}/{trial.implementation} {trial.case.label} {trial.dtype}"
