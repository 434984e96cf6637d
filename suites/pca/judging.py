"""How far components are from the reference's, by kind of implementation.

Every error is the share of what its kind and dtype are allowed, so that 1 is the limit for all of them. Kinds:

- ``svd``: works on the centred table itself; singular values down to rounding are right.
- ``gram``: works on a product of the table with itself; variances are right up to the rounding of the largest one.
- ``randomised``: one random subspace, no stopping rule.
- ``incremental``: drops what does not fit into k components after every batch. Right where nothing is dropped, which is
  then held to what ``gram`` is held to.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from harness.contract import Arrays, Inputs

LEAST_GAP = 1.05
"""Ratio of the singular values before and after the cut from which on the subspace is determined well enough."""
ROUNDINGS = 64.0
"""Roundings of the largest variance that are allowed on top of every relative tolerance."""
DROPPED_VARIANCE = 0.15
DROPPED_LOSS = 0.05
"""For ``incremental``: largest relative error of a variance, and largest relative excess of the loss."""


class Allowance(NamedTuple):
    """What an implementation is allowed.

    :param subspace: 1 less the cosine of the largest principal angle, and the relative excess of the loss.
    :param variance: relative error of a variance.
    :param rounding: error of a variance relative to the largest one, on top.
    :param projection: relative error of means, scores and of inner products of components.
    :param epsilon: the unit of rounding of the dtype.
    """

    subspace: float
    variance: float
    rounding: float
    projection: float
    epsilon: float


def allowance(kind: str, dtype: np.dtype) -> Allowance:
    """The tolerances of the contract for a kind and the dtype of the table."""
    epsilon = float(np.finfo(dtype).eps)
    tight, projection = (1e-5, 1e-4) if dtype == np.float32 else (1e-10, 1e-9)
    rounding = ROUNDINGS * epsilon
    if kind == "randomised":
        return Allowance(1e-3, 1e-3, rounding, projection, epsilon)
    return Allowance(tight, tight, rounding**2 if kind == "svd" else rounding, projection, epsilon)


def measure_errors(outputs: Arrays, expected: Arrays, inputs: Inputs, kind: str) -> Mapping[str, float]:
    """The error of every output over its allowance.

    The subspace of the components is compared with the reference's where the singular values before and after the cut
    differ by a factor of more than 1.05, elsewhere its loss with the least one. Besides, the components must be
    orthonormal, each explain the variance of its rank, be uncorrelated, and follow the rule of signs. Scores are judged
    by the components that came with them.
    """
    if not all(np.all(np.isfinite(output)) for output in outputs.values()):
        return {name: 0.0 if np.all(np.isfinite(output)) else float("inf") for name, output in outputs.items()}
    x = inputs["x"]
    allowed = allowance(kind, x.dtype)
    components = outputs["components"].astype(np.float64)
    found_variance = outputs["explained_variance"].astype(np.float64)
    centred = x.astype(np.float64) - expected["mean"]
    spectrum = variances(centred)
    scale = max(1.0, float(np.abs(x).max()))
    errors = {"mean": float(np.max(np.abs(outputs["mean"] - expected["mean"]))) / (scale * allowed.projection)}
    if kind == "incremental" and np.sum(spectrum[len(components) :]) > ROUNDINGS * allowed.epsilon * spectrum[0]:
        wanted = expected["explained_variance"]
        relative = np.abs(found_variance - wanted) / np.maximum(wanted, np.finfo(np.float64).tiny)
        errors["explained_variance"] = float(relative.max()) / DROPPED_VARIANCE
        shape = _excess_loss(components, centred, spectrum, DROPPED_LOSS, allowed.epsilon)
    else:
        # Centring leaves a few roundings of the values themselves, which is all there is where nothing varies.
        noise = (4 * allowed.epsilon * float(np.abs(x).max())) ** 2
        errors["explained_variance"] = _variance_error(found_variance, expected["explained_variance"], allowed, noise)
        shape = max(
            _subspace_error(components, expected["components"], centred, spectrum, allowed),
            _correlation(components, centred, expected["explained_variance"]) / np.sqrt(allowed.subspace),
        )
    identity = np.abs(components @ components.T - np.eye(len(components))).max()
    errors["components"] = max(shape, float(identity) / allowed.projection, _sign_error(components))
    if "scores" in outputs:
        errors["scores"] = _score_error(outputs["scores"], centred, components) / allowed.projection
    return errors


def variances(centred: np.ndarray) -> np.ndarray:
    """All variances of a centred table (n, d), descending, by way of the smaller product; at least 0."""
    n, d = centred.shape
    product = centred.T @ centred if d <= n else centred @ centred.T
    return np.asarray(np.maximum(np.linalg.eigvalsh(product)[::-1], 0.0) / (n - 1))


def cosine_defect(components: np.ndarray, others: np.ndarray) -> float:
    """1 less the cosine of the largest principal angle between two subspaces of orthonormal rows (k, d)."""
    return 1.0 - float(np.linalg.svd(components @ others.T, compute_uv=False).min())


def _variance_error(found: np.ndarray, expected: np.ndarray, allowed: Allowance, noise: float) -> float:
    floor = allowed.rounding * expected[0] + noise + np.finfo(np.float64).tiny
    return float(np.max(np.abs(found - expected) / (allowed.variance * expected + floor)))


def _subspace_error(
    components: np.ndarray, wanted: np.ndarray, centred: np.ndarray, spectrum: np.ndarray, allowed: Allowance
) -> float:
    k = len(components)
    after = float(spectrum[k]) if k < len(spectrum) else 0.0
    determined = spectrum[k - 1] > 1e3 * allowed.rounding * spectrum[0] and after > 0
    if determined and np.sqrt(spectrum[k - 1] / after) > LEAST_GAP:
        return cosine_defect(components, wanted) / allowed.subspace
    return _excess_loss(components, centred, spectrum, allowed.subspace, allowed.epsilon)


def _excess_loss(
    components: np.ndarray, centred: np.ndarray, spectrum: np.ndarray, tolerance: float, epsilon: float
) -> float:
    """Loss beyond the least one over what is allowed of it."""
    k = len(components)
    captured = float(np.square(centred @ components.T).sum()) / (len(centred) - 1)
    total, least = float(spectrum.sum()), float(spectrum[k:].sum())
    floor = ROUNDINGS * epsilon * total + np.finfo(np.float64).tiny
    return max(0.0, total - captured - least) / (tolerance * least + floor)


def _correlation(components: np.ndarray, centred: np.ndarray, expected: np.ndarray) -> float:
    """Largest difference of the covariance of the scores from the diagonal of variances, relative to the largest."""
    scores = centred @ components.T
    covariance = scores.T @ scores / (len(centred) - 1)
    return float(np.abs(covariance - np.diag(expected)).max()) / max(float(expected[0]), np.finfo(np.float64).tiny)


def _sign_error(components: np.ndarray) -> float:
    """Infinite where no entry of about the largest absolute value is positive."""
    size = np.abs(components)
    largest = size >= size.max(axis=1, keepdims=True) * (1 - 1e-6)
    return 0.0 if np.all(np.any(largest & (components > 0), axis=1)) else float("inf")


def _score_error(scores: np.ndarray, centred: np.ndarray, components: np.ndarray) -> float:
    wanted = centred @ components.T
    difference = float(np.linalg.norm(scores - wanted))
    size = max(float(np.linalg.norm(wanted)), float(np.linalg.norm(centred)) * 1e-2)
    return difference / size if size > 0 else difference
