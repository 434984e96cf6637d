"""Random forests: bagged, fully grown CART trees that choose among few features (Breiman 2001).

What all implementations of ours share:

- A tree is grown on as many rows as there are, drawn with replacement (or on all rows, without ``bootstrap``).
- ``scope`` says what "only k features" means. ``per_split``: a node looks at the first ``max_features`` features of its
  random permutation; if all of them are constant in it, at the first later one that is not. ``per_tree``: one such
  subset serves the whole tree, and a node in which all of it is constant is a leaf, pure or not.
- With class counts N_c and N = sum N_c, a split gains G - N_L/N G_L - N_R/N G_R of the Gini impurity
  G = 1 - sum (N_c/N)^2, which is largest where S = sum N_cL^2/N_L + sum N_cR^2/N_R is. S is compared exactly; of tied
  ones the lowest feature wins, then the lowest threshold. A gain of 0 is good enough.
- The threshold is the mean, in float64, of two neighbouring distinct values of the node; ``x <= threshold`` goes left.
- A node is a leaf when it is pure or none of its features varies. Depth has no limit, a leaf may hold a single row.
- ``probability`` is the mean over trees of the class frequencies in the leaf reached; ``votes`` the share of trees in
  whose leaf a class has the majority, the lowest of tied ones.
- Draws are those of :mod:`suites.random_forest.draws`, so that ours are held to the same trees, node for node. Binned
  search is where every feature has at most 256 distinct values. Libraries draw otherwise and are held to the quality.

``x_test`` begins with copies of the first training rows, as many as the fresh rows that follow.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from harness.contract import Inputs, Output, Suite, Tolerance, Work, grid
from suites.random_forest.claims import CLAIMS
from suites.random_forest.data import CLASSES, MAKERS, REAL
from suites.random_forest.judging import measure_errors
from suites.random_forest.probes import PROBES
from suites.random_forest.reference import reference
from suites.random_forest.settings import features_drawn

LARGEST_CHECKED_ROWS, CHECKED_TREES, CHECKED_LEVELS = 150, 16, 60
"""The reference takes a quarter of a second for these."""
AWKWARD = tuple(name for name in MAKERS if name not in CLASSES)
"""Data of edge cases, which are checked as they are."""


def make_inputs(
    rng: np.random.Generator,
    *,
    data: str,
    n_rows: int = 0,
    n_trees: int = 10,
    max_features: int = 0,
    scope: str = "per_split",
    bootstrap: bool = True,
    levels: int = 0,
) -> Inputs:
    """A table split into training and test rows, and the settings of the forest.

    :param data: a maker of :mod:`suites.random_forest.data`.
    :param n_rows: training rows; 0 for three quarters of a real table.
    :param max_features: features per draw; 0 for the whole part of the binary logarithm of their number.
    :param levels: round features of more distinct values to this many; 0 leaves them alone.
    """
    x, y = MAKERS[data](rng, n_rows + test_half(n_rows))
    if levels:
        x = rounded(x, levels)
    n_train = min(n_rows, 3 * len(y) // 4) if data in REAL and n_rows else n_rows or 3 * len(y) // 4
    fresh = x[n_train : n_train + test_half(n_train)]
    return {
        "x_train": np.ascontiguousarray(x[:n_train]),
        "y_train": y[:n_train].copy(),
        "x_test": np.concatenate([x[: len(fresh)], fresh]),
        "n_classes": CLASSES.get(data, 3),
        "n_trees": n_trees,
        "max_features": max_features or features_drawn("log2", x.shape[1]),
        "scope": scope,
        "bootstrap": bootstrap,
        "seed": int(rng.integers(2**31)),
    }


def rounded(x: np.ndarray, levels: int) -> np.ndarray:
    """Columns of more than ``levels`` distinct values rounded to as many evenly spaced ones."""
    columns = []
    for column in x.T:
        low, high = column.min(), column.max()
        many = len(np.unique(column)) > levels
        columns.append(low + np.rint((column - low) / (high - low) * (levels - 1)) if many else column)
    return np.stack(columns, axis=1)


def test_half(n_train: int) -> int:
    """How many training rows, and as many fresh ones, are answered after training on ``n_train`` rows."""
    return min(n_train, max(200, n_train // 4))


def work(
    itemsize: int, *, data: str, n_rows: int = 0, n_trees: int = 10, max_features: int = 0, **_: Any
) -> Mapping[str, Work]:
    """The least that is known: binned search, and a walk down each tree.

    On each of about log2(n) levels every row adds to one counter per drawn feature, for which its bin (one byte) and
    its number (four) are read. A step down a tree reads a node of 16 bytes, and each step waits for the one before.
    """
    features = {"higgs_shaped": 28, "digits": 64, "breast_cancer": 30, "wine": 13}.get(data, 5)
    rows = n_rows or {"digits": 1_347, "breast_cancer": 426, "wine": 133}.get(data, 0)
    drawn, depth = max_features or features_drawn("log2", features), np.log2(max(2, rows))
    half = test_half(rows)
    walk = Work(flops=2.0 * half * n_trees * depth, bytes_read=32.0 * half * n_trees * depth, bytes_written=16.0 * half)
    return {
        "fit": Work(
            flops=n_trees * depth * rows * drawn,
            bytes_read=rows * features * itemsize + n_trees * depth * rows * (drawn + 4.0),
            bytes_written=rows * features * 1.0,
        ),
        "predict": walk,
        "vote": walk,
    }


def check_case(case: Mapping[str, Any]) -> Mapping[str, Any]:
    """The same settings on features of few distinct values, and on no more rows than the reference does at leisure.

    On such features binned and exact search must find the same trees. There are enough trees for the quality of a
    forest of other draws to be judged.
    """
    if case["data"] in AWKWARD:
        return case
    rows = min(case.get("n_rows", 0) or LARGEST_CHECKED_ROWS, LARGEST_CHECKED_ROWS)
    return {**case, "levels": CHECKED_LEVELS, "n_rows": rows, "n_trees": CHECKED_TREES}


SUITE = Suite(
    name="random_forest",
    title="Random forests: what choosing among few features means, and how fast trees can be grown",
    cases=grid(data=["higgs_shaped"], n_rows=[250, 500, 1_000])
    + grid("full", data=["higgs_shaped"], n_rows=[10_000, 30_000, 100_000, 1_000_000])
    + grid("full", data=["digits", "breast_cancer", "wine"], n_trees=[100])
    + grid("full", data=["higgs_shaped"], n_rows=[10_000], scope=["per_tree"]),
    edge_cases=grid(data=["levels"], n_rows=[120], n_trees=[3], scope=["per_split", "per_tree"])
    + grid(data=["levels"], n_rows=[60], n_trees=[2], max_features=[1, 5], bootstrap=[False])
    + grid(data=["constant_features"], n_rows=[60], n_trees=[6], max_features=[1], scope=["per_split", "per_tree"])
    + grid(data=["rare_class", "repeated_features"], n_rows=[40], n_trees=[6])
    + grid(data=["adjacent_floats"], n_rows=[60], n_trees=[3])
    + grid(data=["nothing_varies", "one_class"], n_rows=[20], n_trees=[3])
    + grid(data=["levels"], n_rows=[1, 2], n_trees=[3]),
    make_inputs=make_inputs,
    reference=reference,
    phases={
        "fit": (),
        "predict": (Output("probability", Tolerance({"*": 1.0}), dtype="float64"),),
        "vote": (Output("votes", Tolerance({"*": 1.0}), dtype="float64"),),
    },
    baseline="numba_presorted",
    axis="n_rows",
    naive="python_cart",
    work=work,
    check_case=check_case,
    measure_errors=measure_errors,
    cast=("x_train", "x_test"),
    claims=CLAIMS,
    probes=PROBES,
    call_timeout_s=240.0,
)
