"""Ensembles: voting, bagging, boosting, stacking and blending under one interface.

``members`` names estimators, joined by ``+`` (:mod:`suites.ensembles.members`); ``seeds`` holds one per member. What
all implementations share, with c classes numbered from 0 (``classes`` is 0 for a regression):

- A member's shares are its probabilities by class number, 0 for a class that its rows did not have; one that has no
  probabilities gives 1 to the class it predicts.
- ``hard_vote``: every member is fitted to all rows and votes; the class of most votes, the lowest if tied, scores 1.
- ``soft_vote``: the mean of the members' shares.
- ``bagging``: member t of the one kind is fitted to the rows ``bootstraps[t]``; the mean of shares or predictions.
- ``adaboost``: SAMME (Zhu et al. 2009). Member t is fitted with weights; its error e gives it the weight
  ln((1 - e)/e) + ln(c - 1), by which rows that it gets wrong grow. e <= 0: weight 1 and the last one; e >= 1 - 1/c: it
  is dropped and none follows. Scores are the weighted shares of votes.
- ``gradient_boosting``: squared loss from the mean on, each member fitted to the residuals, shrinkage 0.1.
- ``stacking``: column by column, the shares of a member on the rows of each fold, fitted to all other rows, make up
  ``out_of_fold``; a logistic regression is fitted to it. For fresh rows the members are fitted to all rows. Of two
  classes only the second has a column.
- ``blending``: the same with the rows of fold 0 alone; members are fitted to the others and not again.

``scores`` are (rows of x_test, c), or (rows, 1) of a regression. ``out_of_fold`` is (0, 0) where there is none.
Given the same rows and seeds, trees are the same bit by bit and linear models within rounding.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from harness.contract import Case, Inputs, Output, Suite, Tolerance, Work, grid
from suites.ensembles.claims import CLAIMS
from suites.ensembles.data import MAKERS, REGRESSION
from suites.ensembles.judging import measure_errors
from suites.ensembles.members import META, RIDGE_PENALTY, Make, make_member
from suites.ensembles.probes import PROBES
from suites.ensembles.reference import SHRINKAGE, reference

__all__ = ["META", "RIDGE_PENALTY", "SHRINKAGE", "SUITE", "Make", "make_member"]

FRESH_ROWS = 300
COUNTED = ("bagging", "adaboost", "gradient_boosting")
"""Methods of any number of members of one kind."""
SHAPES = {"iris": (120, 4), "wine": (142, 13), "breast_cancer": (455, 30), "digits": (1_438, 64), "fair": (5_093, 8)}
"""Training rows and features of real tables."""


def make_inputs(
    rng: np.random.Generator,
    *,
    data: str,
    method: str,
    members: str,
    n: int = 0,
    count: int = 1,
    fold_count: int = 5,
    folds: str = "even",
) -> Inputs:
    """A table split into training and test rows, with the draws that the method needs.

    :param data: a maker of :mod:`suites.ensembles.data`.
    :param n: training rows; 0 for four fifths of a real table.
    :param count: members under bagging and boosting.
    :param folds: ``even``; ``unbalanced``, the first one holding half of the rows; or ``in_order``, neighbouring rows.
    """
    x, y = MAKERS[data](rng, n + FRESH_ROWS)
    if data == "sorted_classes":  # training rows in the order of all classes, and fresh ones too
        (x, y), fresh = MAKERS[data](rng, n), MAKERS[data](rng, FRESH_ROWS)
        x, y = np.concatenate([x, fresh[0]]), np.concatenate([y, fresh[1]])
    n_train = n or round(0.8 * len(y))
    width = count if method in COUNTED else len(members.split("+"))
    return {
        "x_train": x[:n_train],
        "y_train": y[:n_train],
        "x_test": x[n_train:][:FRESH_ROWS],
        "method": method,
        "members": members,
        "classes": 0 if data in REGRESSION else int(y.max()) + 1,
        "seeds": rng.integers(2**31, size=width),
        "bootstraps": rng.integers(n_train, size=(width if method == "bagging" else 0, n_train)),
        "folds": fold_numbers(rng, n_train, fold_count, folds),
    }


def fold_numbers(rng: np.random.Generator, rows: int, count: int, kind: str = "even") -> np.ndarray:
    """The fold of each row, int64 (rows,), from 0 to ``count`` - 1."""
    if kind == "in_order":
        return np.arange(rows) * count // rows
    if kind == "unbalanced":
        return np.asarray(rng.permutation(np.maximum(0, np.arange(rows) - rows // 2) % count))
    if kind == "even":
        return np.asarray(rng.permutation(np.arange(rows) % count))
    raise ValueError(f"folds must be even, unbalanced or in_order, not {kind!r}")


def work(
    itemsize: int, *, data: str, method: str, members: str, n: int = 0, count: int = 1, **_: Any
) -> Mapping[str, Work]:
    """The sum of the members' own work: normal equations of a ridge, one scan of sorted features for anything else."""
    rows, features = SHAPES.get(data, (n, {"friedman1": 10, "moons": 2}.get(data, 10)))
    rows = n or rows
    fits = float(count if method in COUNTED else len(members.split("+")))
    if method == "stacking":
        fits *= 6
    each = rows * features**2 + features**3 / 3 if members == "ridge" else 4.0 * rows * features
    return {
        "fit": Work(flops=fits * each, bytes_read=float(rows * features * itemsize)),
        "predict": Work(flops=fits * FRESH_ROWS * 2.0 * features, bytes_read=float(FRESH_ROWS * features * itemsize)),
    }


def check_case(case: Mapping[str, Any]) -> Mapping[str, Any]:
    """As few members and rows as show whether they are combined rightly."""
    return {**case, "count": min(case.get("count", 1), 12), "n": min(case.get("n", 0), 400)}


LIMIT = Tolerance({"*": 1.0})
THREE = ["tree4+naive_bayes+knn5"]
FOUR = ["logistic+knn5+tree+naive_bayes"]

SUITE = Suite(
    name="ensembles",
    title="Bagging, boosting, voting, stacking and blending",
    cases=grid(data=["friedman1"], n=[400], method=["bagging"], members=["ridge"], count=[10, 30, 100])
    + grid(data=["wine"], method=["hard_vote", "soft_vote"], members=THREE)
    + grid(data=["iris"], method=["stacking", "blending"], members=FOUR)
    + grid(data=["moons"], n=[200], method=["bagging"], members=["tree"], count=[10])
    + grid(data=["moons"], n=[200], method=["adaboost"], members=["stump"], count=[10])
    + grid(data=["friedman1"], n=[400], method=["gradient_boosting"], members=["regression_stump"], count=[30])
    + grid("full", data=["friedman1"], n=[5_000], method=["bagging"], members=["ridge"], count=[30, 100, 300])
    + grid("full", data=["digits"], method=["bagging"], members=["tree"], count=[30, 100])
    + grid("full", data=["digits"], method=["hard_vote", "soft_vote"], members=THREE)
    + grid("full", data=["breast_cancer"], method=["stacking", "blending"], members=FOUR)
    + grid("full", data=["breast_cancer"], method=["adaboost"], members=["stump"], count=[100])
    + grid(
        "full",
        data=["friedman1"],
        n=[5_000],
        method=["gradient_boosting"],
        members=["regression_stump"],
        count=[100, 300],
    ),
    edge_cases=grid(
        data=["sorted_classes"],
        n=[30],
        method=["stacking"],
        members=["tree4+naive_bayes"],
        folds=["in_order"],
        fold_count=[3],
    )
    + grid(data=["sorted_classes"], n=[12], method=["stacking"], members=["tree4"], fold_count=[12])
    + grid(
        data=["sorted_classes"],
        n=[40],
        method=["stacking", "blending"],
        members=["tree4+naive_bayes"],
        folds=["unbalanced"],
    )
    + grid(
        data=["sorted_classes"],
        n=[40],
        method=["hard_vote", "soft_vote", "stacking"],
        members=["ridge_classifier+tree4", "tree4"],
    )
    + grid(data=["sorted_classes"], n=[9], method=["bagging"], members=["tree4"], count=[1, 4])
    + grid(data=["moons"], n=[40], method=["adaboost"], members=["tree"], count=[3])
    + (Case.of({"data": "friedman1", "n": 300, "method": "bagging", "members": "ridge", "count": 1}),),
    make_inputs=make_inputs,
    reference=reference,
    phases={
        "fit": (Output("out_of_fold", LIMIT, "float64"),),
        "predict": (Output("scores", LIMIT, "float64"),),
    },
    baseline="plain_loop",
    axis="count",
    naive="plain_loop",
    work=work,
    check_case=check_case,
    measure_errors=measure_errors,
    cast=("x_train", "x_test"),
    dtypes={"cpu": ("float64",), "cuda": ("float64",)},
    claims=CLAIMS,
    probes=PROBES,
    call_timeout_s=240.0,
)
