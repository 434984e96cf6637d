"""What papers and the notes say about combining classifiers."""

from __future__ import annotations

from harness.contract import Band, CaseRatio, Cell, Claim, ProbeDifference, ProbeValue, Scalar, Threads, Where

LOOP = "plain_loop"
TEST_SHARE = 0.25
"""Test rows over training rows of five folds."""
STACKED = ("iris", "wine", "breast_cancer", "digits", "anes96_vote", "fair")
COBBLERS = (
    "集成学习 (Ensemble Learning) 算法的基本思想就是将多个分类器组合,从而实现一个预测效果更好的集成分类器。"
    "集成算法可以说从一方面验证了中国的一句老话:三个臭皮匠,赛过诸葛亮。"
)


def _voters(value: str) -> ProbeValue:
    return ProbeValue("voters", value)


def _vote_less(other: str, data: str, knn: str) -> ProbeDifference:
    case: dict[str, Scalar] = {"data": data, "knn": knn}
    vote, member = (ProbeValue("majority", value, case, LOOP) for value in ("vote_pt", other))
    return ProbeDifference(vote, member, TEST_SHARE)


def _decomposed(value: str) -> ProbeValue:
    return ProbeValue("bias_variance", value, implementation=LOOP)


def _stacked(minuend: str, subtrahend: str, data: str) -> ProbeDifference:
    above, below = (ProbeValue("stacking", value, {"data": data}, LOOP) for value in (minuend, subtrahend))
    return ProbeDifference(above, below, TEST_SHARE)


def _counted(value: str, method: str, members: str, count: int) -> ProbeValue:
    case: dict[str, Scalar] = {"method": method, "members": members, "count": count}
    return ProbeValue("fit_counts", value, case, LOOP)


def _speedup(method: str, data: str, members: str) -> CaseRatio:
    def at(threads: Threads) -> Where:
        case: dict[str, Scalar] = {"data": data, "method": method, "members": members, "count": 100}
        return Where(case, dtype="float64", threads=threads, phase="fit", until="fit")

    return CaseRatio("joblib_processes", at(1), at(2))


CLAIMS: tuple[Claim, ...] = (
    Claim(
        id="ensembles.1",
        kind="result",
        statement="Three cobblers beat Zhuge Liang: the majority of three classifiers is at least as good as its best "
        "member.",
        source="notes, page 001",
        sentence=COBBLERS,
        cells=tuple(
            Cell(
                f"{data}, 5-NN on {'scaled' if knn == 'knn5' else 'raw'} features: vote less {label}",
                _vote_less(other, data, knn),
                Band(low=0.0),
            )
            for data in ("breast_cancer", "wine", "digits")
            for knn in ("knn5", "knn5_raw")
            for other, label in (("best_pt", "the best member"), ("mean_pt", "the mean member"))
        ),
        unit="pt",
        remark="A tree of depth 4, Gaussian naive Bayes and five nearest neighbours; 20 times five folds, intervals "
        "corrected for overlapping training sets. The best member is the one that five inner folds of the training "
        "rows favour; the best by hindsight (hindsight_pt) and how often two members disagree are in the table of the "
        "run. What the notes say of independent voters is ensembles.1.voters.",
    ),
    Claim(
        id="ensembles.1.voters",
        kind="result",
        statement="Three independent voters of accuracy p > 1/2 are right with 3p^2 - 2p^3 > p, and 41 of accuracy "
        "0.6 reach 0.9.",
        source="notes, page 001; Condorcet 1785",
        sentence=COBBLERS,
        cells=(
            Cell("largest difference to the binomial", _voters("identity_difference"), Band(0.0, 1e-12)),
            Cell("accuracies at which the sign of the gain is another", _voters("wrong_signs"), Band(0.0, 0.0)),
            Cell("fewest voters of accuracy 0.6 that reach 0.9", _voters("voters_for_90_percent"), Band(41.0, 41.0)),
        ),
        profile="quick",
        remark="The first reading of ensembles.1: votes are independent, which those of classifiers are not. A "
        "simulation of three separate streams of voters is in the table of the run.",
    ),
    Claim(
        id="ensembles.2",
        kind="result",
        statement="The gain from an ensemble grows as the training set shrinks.",
        source="notes, page 001; Dietterich 2000, the statistical reason",
        sentence="当训练样本的数据量小到不够用来精确的学习到目标假设时,学习算法可以找到很多满足训练样本的分类器。",
        cells=(
            Cell(
                "gain of 100 bagged trees per doubling of the training rows, all sets and draws",
                ProbeValue("bagging_gain", "pooled", implementation=LOOP),
                Band(high=0.0),
            ),
        ),
        unit="pt",
        remark="Slopes over 50 draws each of digits, moons and friedman1 (50 to 1,600 rows) and breast_cancer (to 400) "
        "are pooled, in points of accuracy and for friedman1 of R^2; each set's own slope and its gains at every size "
        "are in the table of the run. The draws of a real table share their rows, so that they are not independent.",
    ),
    Claim(
        id="ensembles.3",
        kind="result",
        statement="Bagging cuts variance and not bias; boosting cuts bias.",
        source="Breiman 1996; Domingos 2000",
        cells=(
            Cell("variance, 100 bagged trees over one", _decomposed("variance_bagged_over_tree"), Band(high=0.6)),
            Cell("squared bias, relative change by bagging", _decomposed("bias_change_by_bagging"), Band(-0.1, 0.1)),
            Cell("squared bias, 300 boosted stumps over one", _decomposed("bias_boosted_over_stump"), Band(high=0.5)),
        ),
        remark="The thresholds are ours. friedman1, 50 training sets of 300 rows, 1,000 test points without noise, "
        "squared error; the part of the variance in the squared bias of 50 sets is taken off. Intervals are those of "
        "the jackknife over training sets.",
    ),
    Claim(
        id="ensembles.4",
        kind="result",
        statement="Stacking is at most half a point worse than its best member, and stacking on the members' answers "
        "to their own training rows is optimistic by two points or more.",
        source="van der Laan, Polley and Hubbard 2007 (oracle inequality, asymptotic)",
        cells=tuple(
            cell
            for data in STACKED
            for cell in (
                Cell(f"{data}: stack less best member", _stacked("stack_pt", "best_pt", data), Band(low=-0.5)),
                Cell(
                    f"{data}: leaky stack, its own rows less test rows",
                    _stacked("leaky_train_pt", "leaky_test_pt", data),
                    Band(low=2.0),
                ),
                Cell(
                    f"{data}: gap of the leaky stack less that of the honest one",
                    _stacked("leaky_gap_pt", "honest_gap_pt", data),
                    Band(low=0.0),
                ),
            )
        ),
        unit="pt",
        remark="The half point and the two points are ours. Logistic regression, five nearest neighbours, an unlimited "
        "tree and naive Bayes under a logistic regression, five inner folds; four times five outer folds. The best "
        "member is the one of most right answers out of fold.",
    ),
    Claim(
        id="ensembles.5",
        kind="count",
        statement="Stacking with K folds fits each member K + 1 times and one meta-learner; bagging makes T fits that "
        "wait for nothing, boosting T that wait for one another.",
        source="Definition of the methods",
        cells=(
            Cell(
                "stacking, 4 members, 5 folds: fits",
                _counted("fits", "stacking", "logistic+knn5+tree+naive_bayes", 4),
                Band(25, 25),
            ),
            Cell(
                "stacking: fits of the meta-learner",
                _counted("meta_fits", "stacking", "logistic+knn5+tree+naive_bayes", 4),
                Band(1, 1),
            ),
            Cell("bagging of 100: fits", _counted("fits", "bagging", "tree", 100), Band(100, 100)),
            Cell("bagging of 100: fits in a row", _counted("critical_path", "bagging", "tree", 100), Band(1, 1)),
            Cell("AdaBoost of 100: fits", _counted("fits", "adaboost", "stump", 100), Band(100, 100)),
            Cell("AdaBoost of 100: fits in a row", _counted("critical_path", "adaboost", "stump", 100), Band(100, 100)),
            Cell(
                "gradient boosting of 100: fits in a row",
                _counted("critical_path", "gradient_boosting", "regression_stump", 100),
                Band(100, 100),
            ),
        ),
        unit="fits",
        profile="quick",
        remark="The clock's side is ensembles.5.clock.",
    ),
    Claim(
        id="ensembles.5.clock",
        kind="cost",
        statement="On two processes bagging takes half the time, and boosting as long as on one.",
        source="Definition of the methods",
        cells=(
            Cell(
                "bagging, 100 trees on digits: one process over two",
                _speedup("bagging", "digits", "tree"),
                Band(2 / 1.25, 2 * 1.25),
            ),
            Cell(
                "AdaBoost, 100 stumps on breast_cancer: one process over two",
                _speedup("adaboost", "breast_cancer", "stump"),
                Band(1 / 1.25, 1.25),
            ),
        ),
        remark="The clock's side of ensembles.5; the quarter is ours. joblib's processes, which stay between calls.",
    ),
)
