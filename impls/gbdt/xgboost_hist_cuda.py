"""XGBoost's search on histograms, on a GPU (tree_method "hist", device "cuda")."""

from __future__ import annotations

from collections.abc import Iterator

import torch
import xgboost

from harness.contract import implements, thread_count
from suites.gbdt.suite import SUITE


@implements(
    SUITE,
    arrays="torch",
    devices=("cuda",),
    kind="library",
    limits={
        # The log-odds of a single class are infinite.
        "data": (
            "higgs_shaped",
            "friedman1",
            "diabetes",
            "randhie",
            "fair",
            "levels",
            "two_valued",
            "constant_feature",
            "constant_features",
            "adjacent_floats",
            "repeated_feature",
        ),
    },
)
def gbdt(
    x_train: torch.Tensor,
    y_train: torch.Tensor,
    x_test: torch.Tensor,
    loss: str,
    rounds: int,
    max_depth: int,
    max_leaves: int,
    shrinkage: float,
    bins: int,
    min_rows: int,
) -> Iterator[torch.Tensor | None]:
    if not xgboost.build_info()["USE_CUDA"]:
        raise RuntimeError("this build of XGBoost has no CUDA; install xgboost in place of xgboost-cpu")
    logistic = loss == "logistic"
    parameters = {
        "tree_method": "hist",
        "device": "cuda",
        "objective": "binary:logistic" if logistic else "reg:squarederror",
        "base_score": float(y_train.mean()),  # as a probability under logistic loss
        "eta": shrinkage,
        "max_depth": max_depth,
        "max_leaves": max_leaves,
        "grow_policy": "lossguide" if max_leaves else "depthwise",
        "max_bin": bins,
        "lambda": 0.0,  # 1 by default: it would shrink the leaves
        # A sum of Hessians: rows under squared loss; at most a quarter of the rows under logistic loss.
        "min_child_weight": min_rows / 4 if logistic else min_rows,
        "nthread": thread_count(),
    }
    table = xgboost.QuantileDMatrix(x_train, y_train, max_bin=bins, nthread=thread_count())
    booster = xgboost.train(parameters, table, num_boost_round=rounds)
    torch.cuda.synchronize()
    yield None
    # XGBoost hands over a CuPy array only where CuPy is installed, so prediction goes through a DMatrix.
    scores = booster.predict(xgboost.DMatrix(x_test), output_margin=True)
    yield torch.from_numpy(scores).to(x_test.device, torch.float64)
