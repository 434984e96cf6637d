"""The suite's model in XGBoost's own words."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import scipy.sparse
import xgboost

from harness.contract import thread_count
from suites.xgboost.model import Model


def parameters(model: Model) -> dict[str, Any]:
    """Parameters of ``xgboost.train``, tree method and bins excepted."""
    logistic = model.loss == "logistic"
    return {
        "objective": "binary:logistic" if logistic else "reg:squarederror",
        "base_score": 1.0 / (1.0 + math.exp(-model.base)) if logistic else model.base,
        "eta": model.shrinkage,
        "max_depth": model.max_depth,
        "lambda": model.l2,
        "alpha": model.l1,
        "gamma": 2.0 * model.gamma,  # it compares with the gain without the factor of one half
        "min_child_weight": model.min_child_weight,
        "nthread": thread_count(),
    }


def training_table(
    x: np.ndarray, values: np.ndarray, columns: np.ndarray, row_starts: np.ndarray, y: np.ndarray, features: int
) -> xgboost.DMatrix:
    """A DMatrix of either form of training rows."""
    table = x if len(x) == len(y) else compressed(values, columns, row_starts, features)
    return xgboost.DMatrix(table, y, nthread=thread_count())


def compressed(
    values: np.ndarray, columns: np.ndarray, row_starts: np.ndarray, features: int
) -> scipy.sparse.csr_matrix:
    """Compressed rows as SciPy's, whose entries that are not stored XGBoost takes as absent."""
    return scipy.sparse.csr_matrix((values, columns, row_starts), shape=(len(row_starts) - 1, features))
