"""scikit-learn's AdaBoostClassifier with trees of depth 1, whose thresholds are chosen by Gini impurity.

Its weights (SAMME for two classes) are twice the textbook's, and its trees sort the rows in every round.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from sklearn.ensemble import AdaBoostClassifier
from sklearn.tree import DecisionTreeClassifier

from harness.contract import implements
from impls.building_blocks.adaboost.rounds import Boosted
from suites.adaboost.suite import SUITE, unused


@implements(
    SUITE,
    library="scikit-learn",
    dtypes=("float64",),
    kind="library",
    # It refuses zero rounds and a first stump that is perfect or useless, and weighs a later perfect stump 1.
    limits={
        "mode": ("reweight",),
        "rounds": (5, 10, 20, 50, 100, 400),
        "data": ("classification", "hastie", "breast_cancer", "digits_4v9", "digits_3v8", "digits_1v7"),
    },
)
def adaboost(
    x_train: np.ndarray, y_train: np.ndarray, x_test: np.ndarray, rounds: int, mode: str, seed: int
) -> Iterator[Boosted | np.ndarray | None]:
    yield None
    model = AdaBoostClassifier(
        DecisionTreeClassifier(max_depth=1), n_estimators=rounds, learning_rate=1.0, random_state=0
    )
    model.fit(x_train, y_train)
    outputs = unused(rounds)
    for m, tree in enumerate(model.estimators_):
        outputs["features"][m], outputs["thresholds"][m], outputs["polarities"][m] = _stump(tree)
        outputs["alphas"][m] = model.estimator_weights_[m] / 2
        outputs["errors"][m] = model.estimator_errors_[m]
    yield outputs["features"], outputs["thresholds"], outputs["polarities"], outputs["alphas"], outputs["errors"]
    # Its scores are averages under the weights, and run from -2 to 2 since those of both classes are added.
    yield model.decision_function(x_test) * model.estimator_weights_.sum() / 4


def _stump(tree: DecisionTreeClassifier) -> tuple[int, float, int]:
    """Feature, threshold and polarity; Gini may split rows whose majority is the same on both sides."""
    nodes = tree.tree_
    votes = 2 * nodes.value[:, 0].argmax(axis=1) - 1
    if nodes.node_count == 1:
        return 0, -np.inf, int(votes[0])
    left, right = votes[nodes.children_left[0]], votes[nodes.children_right[0]]
    if left == right:
        return 0, -np.inf, int(right)
    return int(nodes.feature[0]), float(nodes.threshold[0]), int(right)
