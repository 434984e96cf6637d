"""Second-order boosting in NumPy, with a sort of every feature in every node."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from harness.contract import implements
from suites.xgboost.model import ABSENT, LEAF, MOST_STEPS, STEP, TIE, Model
from suites.xgboost.suite import SUITE

FIELDS = (("feature", "i8"), ("threshold", "f8"), ("gain", "f8"), ("cover", "f8"), ("weight", "f8"))
TREE = np.dtype([*FIELDS, ("default_left", "i8")])


@implements(
    SUITE,
    kind="exact",
    limits={
        "n_rows": 4_000,
        "data": (
            "higgs_shaped",
            "diabetes",
            "fair_one_hot",
            "modechoice_one_hot",
            "one_hot_10",
            "levels",
            "constant_feature",
            "one_class",
            "repeated_feature",
            "gaps",
            "missing_feature",
        ),
    },
)
def boost(
    x_train: np.ndarray,
    values: np.ndarray,
    columns: np.ndarray,
    row_starts: np.ndarray,
    y_train: np.ndarray,
    x_test: np.ndarray,
    model: Model,
) -> Iterator[object]:
    x = x_train
    if len(x) != len(y_train):
        x = np.full((len(y_train), x_test.shape[1]), np.nan, dtype=np.float32)
        x[np.repeat(np.arange(len(x)), np.diff(row_starts)), columns] = values
    yield None
    scores = np.full(len(y_train), model.base)
    trees = np.zeros((model.rounds, model.tree_size), dtype=TREE)
    trees["feature"] = ABSENT
    for tree in trees:
        residual, hessian = _derivatives(y_train, scores, model.loss)
        split_weights = hessian if model.order == "second" else np.ones_like(hessian)
        _grow(tree, x, residual, split_weights, model)
        leaves = _route(tree, x, model.max_depth)
        g = np.bincount(leaves, residual, minlength=len(tree))
        h = np.bincount(leaves, None if model.order == "first" else hessian, minlength=len(tree)) + model.l2
        shrunk = np.sign(g) * np.maximum(np.abs(g) - model.l1, 0)
        tree["weight"] = np.divide(shrunk, h, out=np.zeros_like(g), where=(h > 0) & (tree["feature"] == LEAF))
        if model.order == "first":
            tree["weight"] *= _line_search(y_train, scores, tree["weight"][leaves], model.loss)
        scores += model.shrinkage * tree["weight"][leaves]
    yield None
    answer = np.full(len(x_test), model.base)
    for tree in trees:
        answer += model.shrinkage * tree["weight"][_route(tree, x_test, model.max_depth)]
    yield answer
    yield tuple(np.ascontiguousarray(trees[name]) for name in TREE.names or ())


def _derivatives(y: np.ndarray, scores: np.ndarray, loss: str) -> tuple[np.ndarray, np.ndarray]:
    if loss == "squared":
        return y - scores, np.ones_like(scores)
    p = 1 / (1 + np.exp(-scores))
    return y - p, p * (1 - p)


def _grow(tree: np.ndarray, x: np.ndarray, residual: np.ndarray, weight: np.ndarray, model: Model) -> None:
    nodes = {0: np.arange(len(x))}
    for place in range(len(tree)):
        if place not in nodes:
            continue
        rows = nodes.pop(place)
        node = tree[place]
        node["feature"], node["cover"] = LEAF, weight[rows].sum()
        split = _best_split(x[rows], residual[rows], weight[rows], model) if 2 * place + 2 < len(tree) else None
        if split is None:
            continue
        gain, node["feature"], value, node["default_left"] = split
        node["gain"], node["threshold"] = gain - model.gamma, _threshold(x[:, node["feature"]], value)
        own = x[rows, node["feature"]]
        left = np.where(np.isnan(own), node["default_left"] == 1, own <= node["threshold"])
        nodes[2 * place + 1], nodes[2 * place + 2] = rows[left], rows[~left]
    blank = np.zeros(1, dtype=TREE)[0]
    for place in range(len(tree) // 2 - 1, -1, -1):
        children = slice(2 * place + 1, 2 * place + 3)
        unpaid = tree[place]["feature"] >= 0 and tree[place]["gain"] < 0
        if unpaid and np.all(tree[children]["feature"] == LEAF):
            cover = tree[place]["cover"]
            tree[place] = tree[children] = blank
            tree[place]["feature"], tree[place]["cover"], tree["feature"][children] = LEAF, cover, ABSENT


def _threshold(column: np.ndarray, value: float) -> float:
    """Midway between ``value`` and the next one of the training set."""
    above = column[column > value]
    if np.isinf(value) or not len(above):
        return value if np.isinf(value) else np.inf
    return (np.float64(value) + np.float64(above.min())) / 2


def _best_split(
    x: np.ndarray, residual: np.ndarray, weight: np.ndarray, model: Model
) -> tuple[float, int, float, bool] | None:
    """Gain before the cost of a leaf, feature, largest value on the left (-inf: none) and default side.

    Score the cuts of all features at once: axis 0 is the number of rows with values on the left, axis 1 the feature,
    axis 2 the side of the absent entries.
    """
    count, features = x.shape
    order = np.argsort(x, axis=0)  # NaN last
    values = np.take_along_axis(x, order, axis=0)
    absent = np.isnan(x).sum(axis=0)
    sides = np.array([1, 0]) if absent.any() else np.array([1])
    g, h = (np.vstack([np.zeros(features), np.cumsum(a[order], axis=0)]) for a in (residual, weight))
    present = (count - absent)[None]
    lost = [total[-1] - np.take_along_axis(total, present, axis=0)[0] for total in (g, h)]
    g_left, h_left = (total[..., None] + lost[k][:, None] * sides for k, total in enumerate((g, h)))
    cut = np.arange(count + 1)[:, None]
    rows_left = cut[..., None] + absent[:, None] * sides
    apart = np.vstack([np.full(features, True), values[:-1] != values[1:], np.full(features, True)])
    apart &= cut <= present
    least = max(1, model.min_rows)
    h_right = h[-1][:, None] - h_left
    allowed = apart[..., None] & (rows_left >= least) & (count - rows_left >= least)
    allowed &= (h_left >= model.least_weight) & (h_right >= model.least_weight)
    score = np.where(allowed, _score(g_left, h_left, model) + _score(g[-1][:, None] - g_left, h_right, model), -np.inf)
    best = score.max()
    gain = best - _score(g[-1, 0], h[-1, 0], model)
    if not gain > TIE * best:
        return None
    by_feature = score.transpose(1, 0, 2)
    feature, left, side = np.unravel_index(np.argmax(by_feature >= best * (1 - TIE)), by_feature.shape)
    value = values[left - 1, feature] if left else -np.inf
    return gain / 2, int(feature), value, bool(sides[side])


def _score(g: np.ndarray, h: np.ndarray, model: Model) -> np.ndarray:
    shrunk, below = np.maximum(np.abs(g) - model.l1, 0), h + model.l2
    return np.asarray(np.divide(shrunk**2, below, out=np.zeros(np.shape(below)), where=below > 0))


def _line_search(y: np.ndarray, scores: np.ndarray, steps: np.ndarray, loss: str) -> float:
    """Newton's method on the factor of ``steps``, kept between factors of known signs of the slope."""
    low, high, factor = 0.0, np.inf, 0.0
    for _ in range(MOST_STEPS):
        residual, hessian = _derivatives(y, scores + factor * steps, loss)
        slope, curvature = -residual @ steps, hessian @ steps**2
        low, high = (low, factor) if slope > 0 else (factor, high)
        if not curvature > 0:
            break
        proposal = factor - slope / curvature
        if not low <= proposal <= high:
            proposal = (low + high) / 2 if np.isfinite(high) else low
        moved, factor = abs(proposal - factor), proposal
        if moved <= STEP * max(1, abs(factor)):
            break
    return float(factor)


def _route(tree: np.ndarray, x: np.ndarray, max_depth: int) -> np.ndarray:
    """The place of the leaf of every row."""
    places, rows = np.zeros(len(x), dtype=np.int64), np.arange(len(x))
    for _ in range(max_depth):
        nodes = tree[places]
        value = x[rows, np.maximum(nodes["feature"], 0)]
        left = np.where(np.isnan(value), nodes["default_left"] == 1, value <= nodes["threshold"])
        places = np.where(nodes["feature"] >= 0, 2 * places + 2 - left, places)
    return places
