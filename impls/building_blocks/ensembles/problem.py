"""What an ensemble is given, and what it gives back."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from suites.ensembles.suite import Make, make_member


class Problem(NamedTuple):
    """The inputs of the suite, with the factory of members."""

    x: np.ndarray
    y: np.ndarray
    method: str
    members: str
    classes: int
    seeds: np.ndarray
    bootstraps: np.ndarray
    folds: np.ndarray
    make: Make = make_member

    @property
    def names(self) -> list[str]:
        return self.members.split("+")


class Model(NamedTuple):
    """A fitted ensemble: scores of fresh rows, and the predictions that its meta-learner was fitted to."""

    scores: Callable[[np.ndarray], np.ndarray]
    out_of_fold: np.ndarray = np.zeros((0, 0))
