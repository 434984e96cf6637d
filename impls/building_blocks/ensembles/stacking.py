"""Stacking and blending: a meta-learner on what members say of rows that they were not fitted to.

All fits of all members are independent of each other; only the meta-learner waits for them.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from impls.building_blocks.ensembles.fitting import Fit, Run, answers
from impls.building_blocks.ensembles.problem import Model, Problem
from suites.ensembles.suite import META


def fit_stacking(problem: Problem, run: Run, *, leaky: bool = False) -> Model:
    """Members on all folds but one for the meta-learner's table, and on all rows for fresh ones (Wolpert 1992).

    :param leaky: fill the table with what the members fitted to all rows say of those same rows.
    """
    kinds = list(zip(problem.names, problem.seeds, strict=True))
    parts = [] if leaky else [problem.folds == fold for fold in np.unique(problem.folds)]
    tasks = [
        Fit(problem.make, name, int(seed), problem.x[~part], problem.y[~part], problem.classes, ask=problem.x[part])
        for name, seed in kinds
        for part in parts
    ]
    tasks += [
        Fit(problem.make, name, int(seed), problem.x, problem.y, problem.classes, ask=problem.x if leaky else None)
        for name, seed in kinds
    ]
    done = run(tasks)
    whole = [each.estimator for each in done[len(done) - len(kinds) :]]
    if leaky:
        columns = [each.answer for each in done]
    else:
        columns = [np.empty((len(problem.y), problem.classes)) for _ in kinds]
        for place, each in enumerate(done[: len(done) - len(kinds)]):
            member, part = divmod(place, len(parts))
            columns[member][parts[part]] = each.answer
    return _with_meta(problem, run, columns, np.ones(len(problem.y), dtype=bool), whole)


def fit_blending(problem: Problem, run: Run) -> Model:
    """Fold 0 is held out for the meta-learner; members are fitted to the others once and not again."""
    held_out = problem.folds == 0
    x, y, ask = problem.x[~held_out], problem.y[~held_out], problem.x[held_out]
    tasks = [
        Fit(problem.make, name, int(seed), x, y, problem.classes, ask=ask)
        for name, seed in zip(problem.names, problem.seeds, strict=True)
    ]
    done = run(tasks)
    return _with_meta(problem, run, [each.answer for each in done], held_out, [each.estimator for each in done])


def _with_meta(problem: Problem, run: Run, columns: list[np.ndarray], rows: np.ndarray, members: list[object]) -> Model:
    """Fit the meta-learner to the table of ``columns`` and the classes of ``rows``."""
    table = _side_by_side(columns, problem.classes)
    (meta,) = run([Fit(problem.make, META, 0, table, problem.y[rows], problem.classes)])

    def scores(x: np.ndarray) -> np.ndarray:
        fresh = run([partial(answers, each, x, problem.classes) for each in members])
        return answers(meta.estimator, _side_by_side(fresh, problem.classes), problem.classes)

    return Model(scores, table)


def _side_by_side(shares: list[np.ndarray], classes: int) -> np.ndarray:
    """All members' columns; of two classes the first says nothing that the second does not."""
    return np.concatenate([each[:, 1:] if classes == 2 else each for each in shares], axis=1)
