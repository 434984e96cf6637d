"""Fits as tasks, and the ways to run many of them: what an ensemble asks for does not depend on how it is done."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from suites.ensembles.suite import Make


class MemberError(RuntimeError):
    """A member of an ensemble failed; the message names it."""


@dataclass(frozen=True)
class Fit:
    """One member to be fitted to rows (x, y), then to give its shares of ``ask`` if there are any.

    :param classes: how many there are; 0 asks for a regression's predictions.
    """

    make: Make
    name: str
    seed: int
    x: np.ndarray
    y: np.ndarray
    classes: int
    weights: np.ndarray | None = None
    ask: np.ndarray | None = None

    def __call__(self) -> Fitted:
        """Fit, and answer.

        :raises MemberError: the member raised, whatever it was.
        """
        try:
            estimator = self.make(self.name, self.seed)
            if self.weights is None:
                estimator.fit(self.x, self.y)
            else:
                estimator.fit(self.x, self.y, sample_weight=self.weights)
            answer = None if self.ask is None else answers(estimator, self.ask, self.classes)
        except Exception as error:
            raise MemberError(f"member {self.name!r} with seed {self.seed} failed: {error!r}") from error
        return Fitted(estimator, answer)


@dataclass(frozen=True)
class Fitted:
    """An estimator and its answer to :attr:`Fit.ask`, float64 (rows, classes) or (rows, 1)."""

    estimator: Any
    answer: np.ndarray | None


Run = Callable[[Sequence[Callable[[], Any]]], list[Any]]
"""Calls independent tasks, in whatever order, and returns what they returned in the order given."""


def in_a_loop(tasks: Sequence[Callable[[], Any]]) -> list[Any]:
    """One after another in this process."""
    return [task() for task in tasks]


def answers(estimator: Any, x: np.ndarray, classes: int) -> np.ndarray:
    """Shares by class number (rows, classes), or a regression's predictions (rows, 1)."""
    if classes == 0:
        return np.asarray(estimator.predict(x), dtype=np.float64)[:, None]
    if not hasattr(estimator, "predict_proba"):
        return votes(estimator, x, classes)
    shares = np.zeros((len(x), classes))
    shares[:, estimator.classes_] = estimator.predict_proba(x)
    return shares


def votes(estimator: Any, x: np.ndarray, classes: int) -> np.ndarray:
    """1 for the class that is predicted, float64 (rows, classes)."""
    return np.asarray(np.eye(classes)[estimator.predict(x)])
