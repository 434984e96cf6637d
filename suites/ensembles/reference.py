"""Ensembles by the definition, each as a plain loop: the oracle."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from suites.ensembles.members import META, make_member

SHRINKAGE = 0.1
"""Of gradient boosting."""


def reference(
    x_train: np.ndarray,
    y_train: np.ndarray,
    x_test: np.ndarray,
    method: str,
    members: str,
    classes: int,
    seeds: np.ndarray,
    bootstraps: np.ndarray,
    folds: np.ndarray,
) -> Mapping[str, np.ndarray]:
    """``scores`` (rows of x_test, classes), or (rows, 1) of a regression, and ``out_of_fold`` (rows, columns)."""
    names = members.split("+")
    nothing = np.zeros((0, 0))
    if method in ("hard_vote", "soft_vote"):
        fitted = [_fit(name, seed, x_train, y_train) for name, seed in zip(names, seeds, strict=True)]
        shares = [_shares(each, x_test, classes) for each in fitted]
        if method == "soft_vote":
            return {"scores": np.mean(shares, axis=0), "out_of_fold": nothing}
        votes = np.stack([each.predict(x_test) for each in fitted])
        counts = np.stack([(votes == k).sum(axis=0) for k in range(classes)], axis=1)
        return {"scores": np.eye(classes)[counts.argmax(axis=1)], "out_of_fold": nothing}
    if method == "bagging":
        total = np.zeros((len(x_test), max(1, classes)))
        for seed, rows in zip(seeds, bootstraps, strict=True):
            each = _fit(names[0], seed, x_train[rows], y_train[rows])
            total += _shares(each, x_test, classes) if classes else each.predict(x_test)[:, None]
        return {"scores": total / len(seeds), "out_of_fold": nothing}
    if method == "adaboost":
        return {"scores": _adaboost(x_train, y_train, x_test, names[0], classes, seeds), "out_of_fold": nothing}
    if method == "gradient_boosting":
        train, test = np.full(len(y_train), y_train.mean()), np.full(len(x_test), y_train.mean())
        for seed in seeds:
            each = _fit(names[0], seed, x_train, y_train - train)
            train += SHRINKAGE * each.predict(x_train)
            test += SHRINKAGE * each.predict(x_test)
        return {"scores": test[:, None], "out_of_fold": nothing}
    return _stacked(x_train, y_train, x_test, method, names, classes, seeds, folds)


def _stacked(
    x: np.ndarray,
    y: np.ndarray,
    x_test: np.ndarray,
    method: str,
    names: list[str],
    classes: int,
    seeds: np.ndarray,
    folds: np.ndarray,
) -> Mapping[str, np.ndarray]:
    first = 1 if classes == 2 else 0
    left_out, fresh = [], []
    for name, seed in zip(names, seeds, strict=True):
        own = np.zeros((len(y), classes))
        for fold in np.unique(folds) if method == "stacking" else [0]:
            inside = folds == fold
            each = _fit(name, seed, x[~inside], y[~inside])
            own[inside] = _shares(each, x[inside], classes)
        if method == "stacking":
            each = _fit(name, seed, x, y)
        left_out.append(own[:, first:])
        fresh.append(_shares(each, x_test, classes)[:, first:])
    used = folds >= 0 if method == "stacking" else folds == 0
    table = np.concatenate(left_out, axis=1)[used]
    meta = _fit(META, 0, table, y[used])
    return {"scores": _shares(meta, np.concatenate(fresh, axis=1), classes), "out_of_fold": table}


def _adaboost(
    x: np.ndarray, y: np.ndarray, x_test: np.ndarray, name: str, classes: int, seeds: np.ndarray
) -> np.ndarray:
    weights = np.full(len(y), 1 / len(y))
    scores, total = np.zeros((len(x_test), classes)), 0.0
    for seed in seeds:
        member = make_member(name, int(seed)).fit(x, y, sample_weight=weights)
        wrong = member.predict(x) != y
        error = float(weights[wrong].sum())
        if error >= 1 - 1 / classes:
            break
        alpha = 1.0 if error <= 0 else float(np.log((1 - error) / error) + np.log(classes - 1))
        scores += alpha * np.eye(classes)[member.predict(x_test)]
        total += alpha
        if error <= 0:
            break
        weights = weights * np.exp(alpha * wrong)
        weights /= weights.sum()
    return scores / total if total else scores


def _fit(name: str, seed: int, x: np.ndarray, y: np.ndarray) -> Any:
    return make_member(name, int(seed)).fit(x, y)


def _shares(member: Any, x: np.ndarray, classes: int) -> np.ndarray:
    """Probabilities by class number, 0 for classes that the member never saw; certain where it has none."""
    if not hasattr(member, "predict_proba"):
        return np.asarray(np.eye(classes)[member.predict(x)])
    shares = np.zeros((len(x), classes))
    for column, k in enumerate(member.classes_):
        shares[:, k] = member.predict_proba(x)[:, column]
    return shares
