"""SciPy's `scipy.stats.norm.fit`, maximum likelihood of mean and deviation, of which the variance is the square."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.stats import norm

from harness.contract import implements
from impls.building_blocks.estimation.conjugate import point
from suites.estimation.suite import SUITE


@implements(
    SUITE, library="SciPy", dtypes=("float64",), kind="exact", limits={"model": ("gaussian",), "goal": ("mle",)}
)
def estimate(
    x: Any, y: Any, model: str, goal: str, prior: Any, unpenalised: int, effective: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    mean, deviation = norm.fit(y)
    return point([mean, deviation**2])
