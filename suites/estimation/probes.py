"""What the claims about estimators count. Estimates come from the implementation that is named.

``implementation.counters()``, where it has counters, gives its estimators over whole arrays: ``proportion_mle``,
``proportion_map``, ``proportion_mean``, ``variance_mle`` and ``james_stein``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from harness.contract import Implementation, Probe
from suites.estimation.data import MAKERS

Values = Mapping[str, Sequence[float]]
DRAWS = 1_000_000
BATCHES = 100
SHARES = (0.5, 0.35, 0.2, 0.12, 0.05, 0.01)
SUBSETS = 20


def prior_average(rng: np.random.Generator, implementation: Implementation, a: float, b: float, n: int) -> Values:
    """Squared error of the posterior mean over that of the share, averaged over the prior Beta(a, b).

    ``exact_error``: relative difference of the sum over all counts, with Gauss-Jacobi quadrature of the share, from
    n / (n + a + b). ``simulated``: the difference of a simulation from it, in standard errors.
    """
    from scipy.special import roots_jacobi
    from scipy.stats import binom

    estimators = _estimators(implementation)
    formula = n / (n + a + b)
    # A polynomial of degree n + 2 times the prior's density is integrated exactly.
    nodes, weights = roots_jacobi(n + 4, b - 1, a - 1)
    shares, counts = (nodes + 1) / 2, np.arange(n + 1)
    probabilities = binom.pmf(counts[:, None], n, shares) * weights
    errors = [
        float(np.sum(probabilities * (estimate[:, None] - shares) ** 2))
        for estimate in (estimators.proportion_mean(counts, n, a, b), estimators.proportion_mle(counts, n))
    ]
    theta = rng.beta(a, b, size=DRAWS)
    successes = rng.binomial(n, theta)
    bayes = (estimators.proportion_mean(successes, n, a, b) - theta) ** 2
    likelihood = (estimators.proportion_mle(successes, n) - theta) ** 2
    standard_error = np.std(bayes - formula * likelihood) / math.sqrt(DRAWS) / likelihood.mean()
    return {
        "exact_error": [abs(errors[0] / errors[1] / formula - 1)],
        "simulated": [float((bayes.mean() / likelihood.mean() - formula) / standard_error)],
    }


def fixed_share(rng: np.random.Generator, implementation: Implementation, a: float, b: float, n: int) -> Values:
    """``ratio_THETA``: exact squared error of the posterior mean under Beta(a, b) over that of the share of successes,
    at a fixed theta, by the sum over all counts; ``least_share``: the largest theta of a fine
    grid up to 1/2 where the ratio is not below 1."""
    from scipy.stats import binom

    estimators = _estimators(implementation)
    counts = np.arange(n + 1)

    def ratio(theta: float) -> float:
        weights = binom.pmf(counts, n, theta)
        bayes = weights @ (estimators.proportion_mean(counts, n, a, b) - theta) ** 2
        return float(bayes / (weights @ (estimators.proportion_mle(counts, n) - theta) ** 2))

    grid = np.linspace(0.005, 0.5, 100)
    worse = [theta for theta in grid if ratio(theta) >= 1]
    return {**{f"ratio_{theta:g}": [ratio(theta)] for theta in SHARES}, "least_share": [max(worse, default=0.0)]}


def prior_effect(rng: np.random.Generator, implementation: Implementation, a: float, b: float, n: int) -> Values:
    """``difference``: of the MAP estimate from the share of successes, for 0.3 n successes."""
    estimators = _estimators(implementation)
    successes = round(0.3 * n)
    return {
        "difference": [
            abs(float(estimators.proportion_map(successes, n, a, b) - estimators.proportion_mle(successes, n)))
        ]
    }


def ridge_effect(rng: np.random.Generator, implementation: Implementation, n: int) -> Values:
    """``difference``: length of the difference of ridge regression with a fixed prior from least squares, on random
    rows of fair; one per choice of the rows."""
    x, y = MAKERS["fair"](rng, 6_366, 9)
    found = []
    for _ in range(SUBSETS):
        rows = rng.permutation(len(y))[:n]
        estimates = [
            implementation.function(x[rows], y[rows], "linear", goal, np.array([1.0, 1.0]), 0, 0, 0)[0]
            for goal in ("mle", "map")
        ]
        found.append(float(np.linalg.norm(estimates[0] - estimates[1])))
    return {"difference": found}


def variance_bias(rng: np.random.Generator, implementation: Implementation, n: int) -> Values:
    """``standard_errors``: the mean of the maximum-likelihood variance of n standard normal numbers less (n - 1)/n."""
    found = np.concatenate(
        [_estimators(implementation).variance_mle(rng.normal(size=(DRAWS // BATCHES, n))) for _ in range(BATCHES)]
    )
    return {"standard_errors": [float((found.mean() - (n - 1) / n) / (found.std(ddof=1) / math.sqrt(DRAWS)))]}


def shrinkage(rng: np.random.Generator, implementation: Implementation, d: int, length2: float) -> Values:
    """``loss``: mean squared error of the James-Stein estimator over d, that of the maximum likelihood, by batch;
    ``control``: by how much the factor differs from 1 at most.

    ``length2`` is the squared length of the true mean over d. Both sides depend on the observation only through its
    coordinate along the true mean and the squared length of the rest, which is chi-squared.
    """
    centre = math.sqrt(length2 * d)
    losses, control = [], 0.0
    for _ in range(BATCHES):
        along = centre + rng.normal(size=DRAWS // BATCHES)
        rest = rng.chisquare(d - 1, size=len(along)) if d > 1 else np.zeros(len(along))
        factor = _estimators(implementation).james_stein(along**2 + rest, d)
        control = max(control, float(np.abs(factor - 1).max()))
        losses.append(float(np.mean((factor * along - centre) ** 2 + factor**2 * rest)) / d)
    return {"loss": losses, "control": [control]}


def ridge_is_map(rng: np.random.Generator, implementation: Implementation, data: str, penalty: float) -> Values:
    """``difference``: of the implementation's MAP estimate from ridge regression by a singular value decomposition,
    relative to its length; noise variance 2, prior variance 2 over the penalty."""
    x, y = MAKERS["diabetes"](rng, 442, 10) if data == "diabetes" else MAKERS["regression"](rng, 20, 50)
    u, values, vectors = np.linalg.svd(x, full_matrices=False)
    ridge = vectors.T @ (values / (values**2 + penalty) * (u.T @ y))
    found, _ = implementation.function(x, y, "linear", "map", np.array([2.0, 2.0 / penalty]), 0, 0, 0)
    return {"difference": [float(np.linalg.norm(found - ridge) / np.linalg.norm(ridge))]}


def _estimators(implementation: Implementation) -> Any:
    if implementation.counters is None:
        raise ValueError(f"{implementation.function.__module__} has no counters")
    return implementation.counters()


PROBES: Mapping[str, Probe] = {
    "prior_average": Probe(prior_average, unit="1"),
    "fixed_share": Probe(fixed_share, unit="1"),
    "prior_effect": Probe(prior_effect, unit="1"),
    "ridge_effect": Probe(ridge_effect, unit="1"),
    "variance_bias": Probe(variance_bias, unit="standard errors"),
    "shrinkage": Probe(shrinkage, unit="1"),
    "ridge_is_map": Probe(ridge_is_map, unit="1"),
}
