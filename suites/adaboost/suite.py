"""AdaBoost with decision stumps (Freund and Schapire 1997): boosting by reweighting, or by drawing from the weights.

Labels are -1 and 1. What all implementations share:

- D_1 = 1/n. A stump says ``polarity`` where feature j exceeds the threshold t and the opposite where x_j <= t.
- Candidates are the thresholds midway between neighbouring distinct values of a feature, a + (b - a) / 2, or a where
  this rounds to b, and the constant stump: feature 0, t = -inf. Both polarities of each are candidates.
- ``mode="reweight"``: the candidate of the least weighted error e under D_m. ``mode="resample"``: n rows are drawn with
  replacement from D_m (:mod:`suites.adaboost.draws` says how) and the candidate of the least error on them is taken,
  thresholds between the values that were drawn; e is its error on all rows under D_m all the same.
- Errors that differ by at most 1e-12 are tied: the lowest feature wins, then the lowest t, then polarity 1.
- alpha = ln((1 - e) / e) / 2, and D_{m+1} is in proportion to D_m exp(-alpha y h) with sum 1.
- e = 0: the stump is kept with the alpha of e = 1/(2n), and it is the last. e >= 1/2 - 1e-12: the stump is dropped and
  none follows; in resampling, rows are drawn anew up to 10 times before that. Rounds that are not held have feature
  -1, threshold 0, polarity 0, alpha 0 and error 1/2.
- The score of a row is the sum of alpha h; a score of 0 or more is class 1.

Phases: ``sort`` is what is done once for all rounds, ``boost`` the rounds, ``predict`` the scores of ``x_test``.
For two classes SAMME (Zhu et al. 2009), which scikit-learn has, is the same with twice the alphas.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from harness.contract import Case, Inputs, Output, Suite, Tolerance, Work, grid
from suites.adaboost.claims import CLAIMS
from suites.adaboost.data import REAL, split
from suites.adaboost.draws import REDRAWS, draw_counts, sorted_uniforms
from suites.adaboost.judging import measure_errors
from suites.adaboost.probes import PROBES
from suites.adaboost.reference import TIE, reference, unused

__all__ = ["REDRAWS", "SUITE", "TIE", "draw_counts", "sorted_uniforms", "unused"]

LARGEST_CHECKED_ROWS = 4_000
"""The reference takes under a second for twenty rounds of this many rows and twenty features."""
MOST_CHECKED_ROUNDS = 120
"""Beyond a hundred rounds only as far as no two candidates are tied, so that more would show little."""
REAL_SHAPES = {"breast_cancer": (455, 30), "digits_4v9": (289, 64), "digits_3v8": (286, 64), "digits_1v7": (289, 64)}
"""Training rows and features."""


def make_inputs(
    rng: np.random.Generator,
    *,
    data: str,
    n: int = 0,
    d: int = 5,
    rounds: int = 10,
    mode: str = "reweight",
    noise_percent: int = 0,
) -> Inputs:
    """A table split into training and test rows.

    :param data: a maker of :mod:`suites.adaboost.data`.
    :param n: training rows; a real table has its own number.
    :param d: features, where the maker leaves it open.
    :param noise_percent: training rows whose label is flipped, in per cent.
    """
    if mode not in ("reweight", "resample"):
        raise ValueError(f"mode must be reweight or resample, not {mode!r}")
    parts = split(rng, data, n, d, test_rows(n), noise_percent)
    return {
        "x_train": parts.x_train,
        "y_train": parts.y_train,
        "x_test": parts.x_test,
        "rounds": rounds,
        "mode": mode,
        "seed": int(rng.integers(2**31)),
    }


def test_rows(n: int) -> int:
    """How many rows are scored after training on ``n``."""
    return max(100, n // 4)


def work(itemsize: int, *, data: str, n: int = 0, d: int = 5, rounds: int = 10, **_: Any) -> Mapping[str, Work]:
    """The least that is known: one scan of presorted rows per feature and round.

    Each (row, feature) costs four operations (gather, add, compare, select) and reads a row number of 4 bytes and a
    weight; reweighting takes ten operations and three passes over the weights. Real tables have a test part of a fifth.
    """
    rows, features = REAL_SHAPES.get(data, (n, 10 if data == "hastie" else d))
    fresh = rows // 4 if data in REAL else test_rows(n)
    return {
        "sort": Work(flops=0.0, bytes_read=1.0 * rows * features * itemsize, bytes_written=4.0 * rows * features),
        "boost": Work(
            flops=rounds * (4.0 * rows * features + 10.0 * rows),
            bytes_read=rounds * (12.0 * rows * features + 16.0 * rows),
            bytes_written=rounds * 8.0 * rows,
        ),
        "predict": Work(flops=2.0 * fresh * rounds, bytes_read=8.0 * fresh * features, bytes_written=8.0 * fresh),
    }


def check_case(case: Mapping[str, Any]) -> Mapping[str, Any]:
    """As many rows and rounds as the reference does at leisure."""
    return {
        **case,
        "n": min(case.get("n", 0), LARGEST_CHECKED_ROWS),
        "rounds": min(case.get("rounds", 10), MOST_CHECKED_ROUNDS),
    }


EXACT = Tolerance({"*": 1.0})
MODES = ["reweight", "resample"]

SUITE = Suite(
    name="adaboost",
    title="AdaBoost with decision stumps",
    cases=grid(data=["classification"], n=[500, 2_000, 8_000], d=[20], rounds=[10], mode=["reweight"])
    + grid(data=["classification"], n=[2_000], d=[20], rounds=[10], mode=["resample"])
    + grid("full", data=["classification"], n=[10_000, 30_000, 100_000], d=[20], rounds=[20], mode=["reweight"])
    + grid("full", data=["breast_cancer", "digits_4v9"], rounds=[100], mode=MODES)
    + grid("full", data=["hastie"], n=[2_000], rounds=[400], mode=MODES),
    edge_cases=grid(data=["levels", "opposite_labels"], n=[60], mode=MODES)
    + grid(data=["repeated_feature", "adjacent_floats"], n=[60], rounds=[5], mode=["reweight"])
    + grid(data=["perfect", "constant_features", "one_class", "one_class_negative"], n=[40], rounds=[3], mode=MODES)
    + grid(data=["classification"], n=[1, 2, 3], rounds=[3], mode=MODES)
    + (Case.of({"data": "classification", "n": 50, "rounds": 0, "mode": "reweight"}),),
    make_inputs=make_inputs,
    reference=reference,
    phases={
        "sort": (),
        "boost": (
            Output("features", EXACT, "int64"),
            Output("thresholds", EXACT, "float64"),
            Output("polarities", EXACT, "int64"),
            Output("alphas", EXACT, "float64"),
            Output("errors", EXACT, "float64"),
        ),
        "predict": (Output("test_scores", EXACT, "float64"),),
    },
    baseline="sklearn_adaboost",
    axis="n",
    naive="python_loops",
    work=work,
    check_case=check_case,
    measure_errors=measure_errors,
    dtypes={"cpu": ("float64",), "cuda": ("float64",)},
    claims=CLAIMS,
    probes=PROBES,
    call_timeout_s=240.0,
)
