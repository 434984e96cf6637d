"""What papers and the notes say about random forests."""

from __future__ import annotations

from typing import Any

from harness.contract import Band, CaseRatio, Cell, Claim, ProbeDifference, ProbeValue, Scalar, Threads, Where

_SETS = ("digits", "breast_cancer", "wine")
_EXACT = {"digits": "numba_histogram", "breast_cancer": "numba_presorted", "wine": "numba_presorted"}
"""Ours that is exact on a table and fastest there: digits have 17 values per feature, each with a bin of its own."""
_FOLDS = 0.25
_DRAWN = {"digits": (6, 8), "breast_cancer": (4, 5), "wine": (3, 3)}
"""Features drawn by the whole part of log2 d and of the square root, of 64, 30 and 13."""


def _accuracy(data: str, arm: str) -> ProbeValue:
    return ProbeValue("accuracy", arm, {"data": data}, _EXACT[data])


def _accuracy_gained(data: str, arm: str, other: str) -> ProbeDifference:
    return ProbeDifference(_accuracy(data, arm), _accuracy(data, other), test_share=_FOLDS)


def _rules_cells(scope: str) -> tuple[Cell, ...]:
    return tuple(
        Cell(
            f"{data}: k = {_DRAWN[data][0]} less k = {_DRAWN[data][1]}",
            _accuracy_gained(data, f"{scope}_log2", f"{scope}_sqrt"),
            Band(-0.5, 0.5),
            equivalence=True,
        )
        for data in _SETS
        if _DRAWN[data][0] != _DRAWN[data][1]
    )


def _out_of_bag(data: str, value: str) -> ProbeValue:
    return ProbeValue("out_of_bag", value, {"data": data}, _EXACT[data])


def _speed_up(implementation: str, n_rows: int, threads: Threads) -> CaseRatio:
    case: dict[str, Scalar] = {"data": "higgs_shaped", "n_rows": n_rows, "n_trees": 100}
    where: dict[str, Any] = {"phase": "fit", "until": "fit"}
    one, many = Where(case, threads=1, **where), Where(case, threads=threads, **where)
    return CaseRatio(implementation, one, many, per_thread=True)


CLAIMS: tuple[Claim, ...] = (
    Claim(
        id="random_forest.1",
        kind="result",
        statement="Choosing k = log2(d) features once per tree, as the notes' text literally says, is as good as "
        "choosing them anew for every split.",
        source="notes, page 000; Breiman 2001, §4",
        sentence="假设训练集的特征个数为 d ,每次仅选择 k(k<d) 个构建决策树。",
        cells=tuple(
            Cell(
                f"{data}, k = {_DRAWN[data][0]}: per tree less per split",
                _accuracy_gained(data, "per_tree_log2", "per_split_log2"),
                Band(low=-0.5),
            )
            for data in _SETS
        ),
        unit="pt",
        remark="Breiman draws at every node, F = the first integer less than log2(M) + 1 (wording unverified), which "
        "is the k used here. Accuracy by hard vote, 100 trees, 20 seeds, five stratified folds; both arms draw the "
        "same rows. A tree whose k features are constant in a node ends there, pure or not.",
    ),
    Claim(
        id="random_forest.2",
        kind="result",
        statement="log2(d) and the square root of d features per split are equally good.",
        source="notes, page 000, for log2(d); common practice for the square root",
        sentence="对于特征的选择个数,推荐值为 k=log_2d 。",
        cells=_rules_cells("per_split"),
        unit="pt",
        remark="As random_forest.1. Wine is left out, where both rules give k = 3. The records also hold k = d, which "
        "is plain bagging, for scale (per_split_all).",
    ),
    Claim(
        id="random_forest.3",
        kind="result",
        statement="The out-of-bag error estimates the test error.",
        source="Breiman 2001, §3.1",
        cells=tuple(
            Cell(f"{data}: distance in standard errors", _out_of_bag(data, "z"), Band(0.0, 2.0))
            for data in ("digits", "breast_cancer")
        ),
        profile="quick",
        remark="Mean errors of 20 forests of 500 trees on random halves, over the standard error of one half. The "
        "threshold of 2 is ours. Each row is judged out of the bag by about 184 trees, on the other half by all 500.",
    ),
    Claim(
        id="random_forest.4",
        kind="result",
        statement="The generalisation error is at most rho (1 - s^2) / s^2, by the trees' strength s and mean "
        "correlation rho.",
        source="Breiman 2001, Theorem 2.3",
        cells=tuple(
            cell
            for data in ("digits", "breast_cancer")
            for cell in (
                Cell(
                    f"{data}: the largest test error over its bound",
                    _out_of_bag(data, "largest_error_over_bound"),
                    Band(0.0, 1.0),
                ),
                Cell(f"{data}: bound over test error", _out_of_bag(data, "bound_over_error"), Band(low=1.0)),
            )
        ),
        profile="quick",
        remark="Strength and correlation are taken from the raw margins on the test half. The second cell of each "
        "table says how loose the bound is. Forests as in random_forest.3.",
    ),
    Claim(
        id="random_forest.5",
        kind="result",
        statement="The variance of the average of M trees is rho sigma^2 + (1 - rho) sigma^2 / M.",
        source="Hastie, Tibshirani and Friedman 2009, eq. 15.1",
        cells=(
            Cell(
                "friedman1, 300 rows: R^2 of the variance on 1/M",
                ProbeValue("variance_of_means", "r_squared", {}, "numba_presorted"),
                Band(low=0.99),
            ),
            Cell(
                "friedman1, 300 rows: intercept over the covariance of two trees",
                ProbeValue("variance_of_means", "intercept_over_covariance", {}, "numba_presorted"),
                Band(0.9, 1.1),
            ),
        ),
        remark="100 training sets, M from 1 to 100 with trees of their own, 500 test points, five times over. The "
        "source prints no tolerance; R^2 of 0.99 and a tenth for the intercept are ours.",
    ),
    Claim(
        id="random_forest.6",
        kind="cost",
        statement="Growing a forest is embarrassingly parallel: p threads grow it at least 0.8 p times as fast.",
        source="folklore",
        cells=tuple(
            Cell(
                f"{label}, {n_rows:,} rows, {threads} threads: speed-up per thread",
                _speed_up(implementation, n_rows, threads),
                Band(low=0.8),
            )
            for implementation, label, n_rows in (
                ("numba_histogram", "ours", 100_000),
                ("sklearn_forest", "scikit-learn", 10_000),
            )
            for threads in (2, 4, "all")
        ),
        remark="The factor of 0.8 is ours. 100 trees; binning is inside the time. scikit-learn takes minutes for one "
        "forest of 100,000 rows and is held to fewer.",
    ),
    Claim(
        id="random_forest.7",
        kind="result",
        statement="Drawn once per tree, log2(d) and the square root of d features are equally good.",
        source="notes, page 000, read literally",
        sentence="每次根据采样得到的数据和特征构建一棵决策树。",
        cells=_rules_cells("per_tree"),
        unit="pt",
        remark="The other reading of random_forest.2: which number is recommended may depend on whether it is drawn "
        "per split or, as this sentence has it, per tree.",
    ),
)
