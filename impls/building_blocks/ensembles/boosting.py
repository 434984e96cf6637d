"""Boosting: every member is fitted to what the earlier ones leave, so that none can begin before the last has ended."""

from __future__ import annotations

import math

import numpy as np

from impls.building_blocks.ensembles.fitting import Fit, Run, votes
from impls.building_blocks.ensembles.problem import Model, Problem
from suites.ensembles.suite import SHRINKAGE


def fit_adaboost(problem: Problem, run: Run) -> Model:
    """SAMME (Zhu et al. 2009, Algorithm 2)."""
    classes, held = problem.classes, []
    weights = np.full(len(problem.y), 1 / len(problem.y))
    for seed in problem.seeds:
        task = Fit(problem.make, problem.names[0], int(seed), problem.x, problem.y, classes, weights)
        (fitted,) = run([task])
        wrong = fitted.estimator.predict(problem.x) != problem.y
        error = float(weights[wrong].sum())
        if error >= 1 - 1 / classes:
            break
        alpha = math.log((1 - error) / error) + math.log(classes - 1) if error > 0 else 1.0
        held.append((alpha, fitted.estimator))
        if error <= 0:
            break
        weights = np.where(wrong, weights * math.exp(alpha), weights)
        weights /= weights.sum()

    def scores(x: np.ndarray) -> np.ndarray:
        total = np.zeros((len(x), classes))
        for alpha, estimator in held:
            total += alpha * votes(estimator, x, classes)
        return total / sum(alpha for alpha, _ in held) if held else total

    return Model(scores)


def fit_gradient_boosting(problem: Problem, run: Run) -> Model:
    """Least-squares boosting (Friedman 2001, Algorithm 2)."""
    base = float(problem.y.mean())
    current, fitted = np.full(len(problem.y), base), []
    for seed in problem.seeds:
        task = Fit(problem.make, problem.names[0], int(seed), problem.x, problem.y - current, 0, ask=problem.x)
        (each,) = run([task])
        fitted.append(each.estimator)
        current += SHRINKAGE * each.answer[:, 0]

    def scores(x: np.ndarray) -> np.ndarray:
        total = np.full(len(x), base)
        for estimator in fitted:
            total += SHRINKAGE * estimator.predict(x)
        return total[:, None]

    return Model(scores)
