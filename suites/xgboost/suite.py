"""Second-order boosting (XGBoost, Chen and Guestrin 2016) and what of it makes a difference to plain boosting.

With r the negative gradients and h the Hessians of the loss at the scores F (squared loss: y - F and 1; logistic loss:
y - p and p (1 - p)), round t grows a tree and adds shrinkage times its leaves to F. For a node with sums G of r and H
of the weights, T(G) = sign(G) max(|G| - l1, 0). What all implementations share:

- Weight of a leaf T(G) / (H + l2), its score T(G)^2 / (H + l2); both 0 where H + l2 = 0.
- Gain of a split: half of (left score + right score - own score), less gamma. Growth is depth-wise down to
  ``max_depth``, on any split whose gain with gamma = 0 is above 1e-10 of its two sides' score. Then, from below, a
  split of negative gain between two leaves is taken back.
- Both sides have at least ``min_rows`` rows (and one) and a sum of weights of at least ``min_child_weight``, less a
  share of 1e-10 for rounding.
- Absent entries (NaN, or not stored) of a split's feature all go to its default side. A candidate is "value <=
  threshold" with the threshold midway between two neighbouring distinct values of the training set, such that the rows
  of the node with values differ across it. Where the node has absent entries there are two more, which divide them from
  the present ones: -inf, and the threshold above the node's largest value (inf where no row of the training set has a
  larger one). Each is tried with either default side.
- Scores closer than 1e-10 of the larger are tied: the lowest feature wins, then the lowest threshold, then left as the
  default side. A node without absent entries has left as its default.
- What the weights are is the model's ``order``, see :class:`suites.xgboost.model.Model`; so is what leaves hold.
  First order ends each tree with a line search: Newton's method from 0 on the factor of the whole tree, kept between
  factors of known signs of the slope by bisection, to 1e-10 or for 100 steps.

Training rows come as a dense table, ``x_train`` (rows, features) with NaN where an entry is absent, or as compressed
rows: ``x_train`` is then (0, features) and row i has ``values`` and ``columns`` from ``row_starts[i]`` to before
``row_starts[i + 1]``, columns in increasing order; a stored zero is a value. ``x_test`` is always dense. It begins with
copies of the first training rows, as many as the fresh rows that follow: a library may put its thresholds elsewhere
between the same two training values.

The phase ``prepare`` is what is done once with the table before the first tree: sorting, binning, conversion. A library
may do part of it in ``fit``, so that only their sum can be compared between any two.

The last phase describes the trees, by round and place, the children of place i being at 2 i + 1 and 2 i + 2:
``feature`` (-1: a leaf, -2: no node), ``threshold``, ``gain``, ``cover`` (sum of the splits' weights), ``weight`` (of
leaves, before shrinkage) and ``default_left``, all 0 where they mean nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.contract import Case, Output, Suite, Tolerance, Work, grid
from suites.xgboost.claims import CLAIMS
from suites.xgboost.data import AWKWARD, VARIABLES
from suites.xgboost.inputs import make_inputs, test_half
from suites.xgboost.judging import measure_errors
from suites.xgboost.probes import PROBES
from suites.xgboost.reference import reference

__all__ = ["SUITE", "check_case", "make_inputs"]

LARGEST_CHECKED_ROWS = 1_000
LARGEST_CHECKED_ENTRIES = 100_000
"""Rows times features: three rounds of so many take the reference a few tenths of a second."""
CHECKED_ROUNDS = 3
CHECKED_LEVELS = 200
_FEATURES = {
    "higgs_shaped": 28,
    "gaussian_10": 10,
    "diabetes": 10,
    "randhie": 9,
    "fair": 8,
    "breast_cancer": 30,
    "fair_one_hot": 46,
    "modechoice_one_hot": 43,
    "one_hot_10": 10 * VARIABLES,
    "one_hot_100": 100 * VARIABLES,
    "one_hot_1000": 1_000 * VARIABLES,
}
_REAL_ROWS = {
    "diabetes": 331,
    "randhie": 15_142,
    "fair": 4_774,
    "breast_cancer": 426,
    "fair_one_hot": 4_774,
    "modechoice_one_hot": 630,
}


def work(
    itemsize: int,
    *,
    data: str,
    n_rows: int = 0,
    rounds: int = 10,
    max_depth: int = 6,
    bins: int = 255,
    **_: Any,
) -> Mapping[str, Work]:
    """The least that is known: binned search with sibling subtraction over the entries that are there.

    Each tree adds a gradient and a Hessian for every entry at the root and for half of them on each level below, then
    scores every bin of every node above the last level. Reading is one byte per bin, 12 bytes of gradient, Hessian and
    row number per row, and the table itself once for binning.
    """
    features, rows = _FEATURES.get(data, 5), n_rows or _REAL_ROWS.get(data, 0)
    variables = {"fair_one_hot": 8, "modechoice_one_hot": 5}.get(data, VARIABLES)
    entries = rows * (variables if "one_hot" in data else features)
    levels, nodes = 1 + (max_depth - 1) / 2, 2**max_depth - 1
    places = min(bins, entries / max(1, features)) * features
    half = test_half(rows)
    return {
        "prepare": Work(flops=0.0, bytes_read=entries * itemsize, bytes_written=entries * 1.0),
        "fit": Work(
            flops=rounds * (2.0 * entries * levels + 8.0 * places * nodes),
            bytes_read=rounds * levels * (entries + 12.0 * rows),
        ),
        "predict": Work(
            flops=2.0 * half * rounds * (max_depth + 1),
            bytes_read=2.0 * half * features * itemsize,
            bytes_written=16.0 * half,
        ),
    }


def check_case(case: Mapping[str, Any]) -> Mapping[str, Any]:
    """The same settings on features of few distinct values, and on no more rows than the reference does at leisure.

    On such features exact search and any proposal of candidates must find the same trees.
    """
    if case["data"] in AWKWARD:
        return case
    levels = min(CHECKED_LEVELS, case.get("bins", CHECKED_LEVELS))
    most = min(LARGEST_CHECKED_ROWS, LARGEST_CHECKED_ENTRIES // _FEATURES[case["data"]])
    n_rows = min(case.get("n_rows", 0) or most, most)
    return {
        **case,
        "levels": levels,
        "n_rows": n_rows,
        "rounds": min(CHECKED_ROUNDS, case.get("rounds", CHECKED_ROUNDS)),
    }


_EXACT = Tolerance({"*": 1.0})

SUITE = Suite(
    name="xgboost",
    title="Second-order boosting versus gradient boosting: Hessians, sorted column blocks, sparsity awareness",
    cases=grid(data=["higgs_shaped"], n_rows=[250, 500, 1_250])
    + grid("full", data=["higgs_shaped"], n_rows=[30_000, 100_000, 300_000, 1_000_000])
    + grid("full", data=["randhie", "diabetes"])
    + grid("full", data=["fair_one_hot", "modechoice_one_hot"], storage=["sparse"])
    + grid("full", data=["one_hot_100"], n_rows=[20_000], storage=["sparse"]),
    edge_cases=grid(
        data=["levels"], n_rows=[150], order=["second", "newton_leaves", "first"], max_depth=[3], rounds=[3]
    )
    + grid(
        data=["gaps"],
        n_rows=[150],
        storage=["dense", "sparse"],
        loss=["squared", "logistic"],
        max_depth=[3],
        rounds=[3],
    )
    + grid(
        data=["missing_feature"],
        n_rows=[100],
        storage=["sparse"],
        order=["first", "second"],
        max_depth=[3],
        rounds=[3],
    )
    + grid(data=["constant_feature", "repeated_feature"], n_rows=[100], loss=["squared"], max_depth=[3], rounds=[3])
    + grid(data=["one_hot_10"], n_rows=[100], storage=["sparse"], min_child_weight=[0.0], max_depth=[3], rounds=[3])
    + (
        # p (1 - p) is 0 in float64 at a score of 40: no leaf has a weight.
        Case.of({"data": "one_class", "n_rows": 60, "base": 40.0, "l2": 0.0, "min_child_weight": 0.0, "rounds": 2}),
        Case.of({"data": "gaps", "n_rows": 100, "loss": "squared", "base": 0.5, "gamma": 1e6, "rounds": 2}),
        Case.of(
            {"data": "gaps", "n_rows": 150, "loss": "squared", "gamma": 1.0, "l1": 0.5, "min_rows": 5, "rounds": 2}
        ),
        Case.of({"data": "levels", "n_rows": 100, "l1": 1e6, "rounds": 2}),
        Case.of({"data": "levels", "n_rows": 100, "rounds": 0}),
    ),
    make_inputs=make_inputs,
    reference=reference,
    phases={
        "prepare": (),
        "fit": (),
        "predict": (Output("test_scores", _EXACT, dtype="float64"),),
        "describe": (
            Output("feature", _EXACT, dtype="int64"),
            Output("threshold", _EXACT, dtype="float64"),
            Output("gain", _EXACT, dtype="float64"),
            Output("cover", _EXACT, dtype="float64"),
            Output("weight", _EXACT, dtype="float64"),
            Output("default_left", _EXACT, dtype="int64"),
        ),
    },
    baseline="numba_presorted",
    axis="n_rows",
    naive="python_exact",
    work=work,
    check_case=check_case,
    measure_errors=measure_errors,
    cast=("x_train", "values", "x_test"),
    claims=CLAIMS,
    probes=PROBES,
    call_timeout_s=300.0,
)
