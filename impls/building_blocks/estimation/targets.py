"""Log posteriors in coordinates without bounds, for many points at once, with NumPy or with torch.

A probability is sampled as its log-odds and a variance as its logarithm; the densities contain what the change of
coordinates costs.
"""

from __future__ import annotations

from typing import Any

import numpy as np


class Target:
    """The posterior of one of the suite's models.

    :param backend: the module ``numpy`` or ``torch``; arrays are its own, in float64.
    :param prior: as in the suite, in NumPy.
    """

    def __init__(self, backend: Any, x: Any, y: Any, model: str, prior: np.ndarray) -> None:
        self._backend, self._x, self._y, self._model = backend, x, y, model
        self._prior = [float(value) for value in prior]
        self.d = {"bernoulli": 1, "gaussian": 2}.get(model, x.shape[1])
        self._n = len(y)
        if model == "gaussian":
            mu, kappa, alpha, beta = self._prior
            total, squares = float(y.sum()), float((y * y).sum())
            self._kappa = kappa + self._n
            self._mu = (kappa * mu + total) / self._kappa
            self._power = (self._n + 1) / 2 + alpha
            self._scale = 2 * beta + squares + kappa * mu * mu - self._kappa * self._mu**2
        elif model == "bernoulli":
            self._a = float(y.sum()) + self._prior[0]
            self._b = self._n - float(y.sum()) + self._prior[1]

    def log_density(self, points: Any) -> Any:
        """(c,) of points (c, d), up to a constant."""
        return self.with_gradient(points)[0]

    def with_gradient(self, points: Any) -> tuple[Any, Any]:
        """Log density (c,) and its gradient (c, d)."""
        backend, first = self._backend, points[:, 0]
        if self._model == "bernoulli":
            p = _sigmoid(backend, first)
            value = -self._a * _softplus(backend, -first) - self._b * _softplus(backend, first)
            return value, (self._a - (self._a + self._b) * p)[:, None]
        if self._model == "gaussian":
            second = points[:, 1]
            precision = backend.exp(-second)
            offset = first - self._mu
            squares = self._scale + self._kappa * offset * offset
            value = -self._power * second - squares * precision / 2
            return value, backend.stack((-self._kappa * offset * precision, squares * precision / 2 - self._power), -1)
        images = points @ self._x.T
        if self._model == "linear":
            noise, tau2 = self._prior
            residual = self._y - images
            value = -(residual * residual).sum(-1) / (2 * noise) - (points * points).sum(-1) / (2 * tau2)
            return value, residual @ self._x / noise - points / tau2
        (tau2,) = self._prior
        value = images @ self._y - _softplus(backend, images).sum(-1) - (points * points).sum(-1) / (2 * tau2)
        return value, (self._y - _sigmoid(backend, images)) @ self._x - points / tau2

    def start(self) -> np.ndarray:
        """A point (d,) in the bulk of the posterior, or near it."""
        if self._model == "gaussian":
            return np.array([self._mu, np.log(self._scale / (2 * self._power))])
        if self._model == "bernoulli":
            return np.array([np.log(self._a / self._b)])
        return np.zeros(self.d)

    def constrain(self, points: Any) -> Any:
        """Points (..., d) in the suite's parameters."""
        if self._model == "bernoulli":
            return _sigmoid(self._backend, points)
        if self._model == "gaussian":
            return self._backend.stack((points[..., 0], self._backend.exp(points[..., 1])), -1)
        return points


def _softplus(backend: Any, z: Any) -> Any:
    return backend.log1p(backend.exp(-abs(z))) + (z + abs(z)) / 2


def _sigmoid(backend: Any, z: Any) -> Any:
    return (backend.tanh(z / 2) + 1) / 2
