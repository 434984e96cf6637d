"""The methods by name, and the two phases that every way of running them has."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np

from impls.building_blocks.ensembles.averaging import fit_bagging, fit_voting
from impls.building_blocks.ensembles.boosting import fit_adaboost, fit_gradient_boosting
from impls.building_blocks.ensembles.fitting import Run
from impls.building_blocks.ensembles.problem import Model, Problem
from impls.building_blocks.ensembles.stacking import fit_blending, fit_stacking

METHODS: Mapping[str, Callable[[Problem, Run], Model]] = {
    "hard_vote": fit_voting,
    "soft_vote": fit_voting,
    "bagging": fit_bagging,
    "adaboost": fit_adaboost,
    "gradient_boosting": fit_gradient_boosting,
    "stacking": fit_stacking,
    "blending": fit_blending,
}


def fit(problem: Problem, run: Run) -> Model:
    """Fit the ensemble that ``problem`` asks for."""
    return METHODS[problem.method](problem, run)


def fit_and_predict(problem: Problem, x_test: np.ndarray, run: Run) -> Iterator[np.ndarray]:
    """The phases of the suite: ``out_of_fold``, then ``scores``."""
    model = fit(problem, run)
    yield model.out_of_fold
    yield model.scores(x_test)
