"""Voting and bagging: members that know nothing of one another, and an average."""

from __future__ import annotations

from functools import partial

import numpy as np

from impls.building_blocks.ensembles.fitting import Fit, Run, answers, votes
from impls.building_blocks.ensembles.problem import Model, Problem


def fit_voting(problem: Problem, run: Run) -> Model:
    """Every member on all rows; hard or soft votes."""
    tasks = [
        Fit(problem.make, name, int(seed), problem.x, problem.y, problem.classes)
        for name, seed in zip(problem.names, problem.seeds, strict=True)
    ]
    fitted = [each.estimator for each in run(tasks)]

    def scores(x: np.ndarray) -> np.ndarray:
        if problem.method == "soft_vote":
            return np.asarray(np.mean(run([partial(answers, each, x, problem.classes) for each in fitted]), axis=0))
        counts = np.sum(run([partial(votes, each, x, problem.classes) for each in fitted]), axis=0)
        return np.asarray(np.eye(problem.classes)[counts.argmax(axis=1)])

    return Model(scores)


def fit_bagging(problem: Problem, run: Run) -> Model:
    """One kind of member on many bootstrap samples; the mean of shares or predictions."""
    tasks = [
        Fit(problem.make, problem.names[0], int(seed), problem.x[rows], problem.y[rows], problem.classes)
        for seed, rows in zip(problem.seeds, problem.bootstraps, strict=True)
    ]
    fitted = [each.estimator for each in run(tasks)]

    def scores(x: np.ndarray) -> np.ndarray:
        total = np.zeros((len(x), max(1, problem.classes)))
        for answer in run([partial(answers, each, x, problem.classes) for each in fitted]):
            total += answer
        return total / len(fitted)

    return Model(scores)
