"""All members one after another in a plain loop: voting, bagging, boosting, stacking and blending."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from harness.contract import implements
from impls.building_blocks.ensembles.fitting import in_a_loop
from impls.building_blocks.ensembles.methods import fit_and_predict
from impls.building_blocks.ensembles.opened import Opened
from impls.building_blocks.ensembles.problem import Problem
from suites.ensembles.suite import SUITE


@implements(SUITE, dtypes=("float64",), kind="exact", counters=Opened)
def ensemble(
    x_train: np.ndarray,
    y_train: np.ndarray,
    x_test: np.ndarray,
    method: str,
    members: str,
    classes: int,
    seeds: np.ndarray,
    bootstraps: np.ndarray,
    folds: np.ndarray,
) -> Iterator[np.ndarray]:
    problem = Problem(x_train, y_train, method, members, classes, seeds, bootstraps, folds)
    return (yield from fit_and_predict(problem, x_test, in_a_loop))
