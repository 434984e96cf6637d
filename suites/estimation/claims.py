"""What textbooks, papers and the notes say about maximum likelihood, priors and samplers."""

from __future__ import annotations

from harness.contract import Band, Cell, Claim, ProbeGrowth, ProbeValue, RatioGrowth, Scalar, Where

EXACT = "closed_form"
_PRIORS = ((1.0, 1.0, "uniform"), (0.5, 0.5, "Jeffreys"), (1.0, 99.0, "Beta(1, 99)"))
_SHARES = (0.5, 0.35, 0.2, 0.12, 0.05, 0.01)
_SIZES = (5, 10, 30, 100, 1_000)


def _average_cells() -> tuple[Cell, ...]:
    cells = []
    for a, b in ((1.0, 1.0), (2.0, 5.0), (0.5, 0.5)):
        for n in (5, 10, 50):
            case = {"a": a, "b": b, "n": n}
            exact = ProbeValue("prior_average", "exact_error", case, EXACT)
            simulated = ProbeValue("prior_average", "simulated", case, EXACT)
            cells.append(Cell(f"Beta({a:g}, {b:g}), n = {n}: exact sum, relative error", exact, Band(0, 1e-10)))
            cells.append(Cell(f"Beta({a:g}, {b:g}), n = {n}: simulation, standard errors", simulated, Band(-4, 4)))
    return tuple(cells)


def _fixed_cells() -> tuple[Cell, ...]:
    cells = []
    for a, b, title in _PRIORS:
        for reading, sizes, shares in (("few data", (5, 10), _SHARES), ("sparse data", _SIZES, (0.05, 0.01))):
            for n in sizes:
                for theta in shares:
                    ratio = ProbeValue("fixed_share", f"ratio_{theta:g}", {"a": a, "b": b, "n": n}, EXACT)
                    label = f"{title} prior, {reading}, theta = {theta:g}, n = {n}: squared error of Bayes over ML"
                    cells.append(Cell(label, ratio, Band(high=1.0)))
    return tuple(cells)


def _vanishing_cells() -> tuple[Cell, ...]:
    by_prior = ProbeValue("prior_effect", "difference", {"a": 2.0, "b": 5.0}, EXACT)
    by_ridge = ProbeValue("ridge_effect", "difference", {}, EXACT)
    sizes = tuple(10**power for power in range(1, 7))
    steep = Band(-1.05, -0.95)
    return (
        Cell("Beta(2, 5): exponent of ML less MAP in n", ProbeGrowth(by_prior, "n", sizes), steep),
        Cell(
            "ridge on fair: exponent of ML less MAP in n",
            ProbeGrowth(by_ridge, "n", (100, 300, 1_000, 3_000, 6_366)),
            steep,
        ),
        *(
            Cell(
                f"Beta(1, 1), n = {n}: ML less MAP",
                ProbeValue("prior_effect", "difference", {"a": 1.0, "b": 1.0, "n": n}, EXACT),
                Band(0, 1e-12),
            )
            for n in (10, 1_000, 1_000_000)
        ),
    )


def _growth_cells() -> tuple[Cell, ...]:
    cells = []
    for data, title, sizes in (
        ("independent", "independent normal", (2, 4, 8, 16, 32)),
        ("autoregressive", "normal with correlations 0.9^j", (2, 4, 8)),
    ):
        case: dict[str, Scalar] = {"model": "linear", "goal": "posterior", "n": 1, "data": data, "effective": 100}
        where = Where(case, "float64")
        evidence = RatioGrowth("metropolis_numba", "hmc_torch", "d", sizes, where)
        label = f"{title}, d = 2 to {sizes[-1]:g}: exponent of Metropolis' time over HMC's"
        cells.append(Cell(label, evidence, Band(low=0.0)))
    return tuple(cells)


CLAIMS: tuple[Claim, ...] = (
    Claim(
        id="estimation.1",
        kind="result",
        statement="Averaged over the prior Beta(a, b), the squared error of the posterior mean is n/(n + a + b) times "
        "that of maximum likelihood.",
        source="algebra: the mean posterior variance over the mean of theta (1 - theta)/n",
        cells=_average_cells(),
        profile="quick",
        remark="A million draws of theta and of the data, both estimators on the same ones; exact sums over all counts "
        "beside them. What happens at a fixed theta is another question, that of estimation.2.",
    ),
    Claim(
        id="estimation.2",
        kind="result",
        statement="Maximum likelihood suits large data, Bayes few or sparse data.",
        source="notes, page 001",
        sentence="所以极大似然估计与贝叶斯估计最大的不同就在于是否考虑了先验,而两者适用范围也变成了:"
        "极大似然估计适用于数据大量,估计的参数能够较好的反映实际情况;而贝叶斯估计则在数据量较少或者比较稀疏的情况下,考虑…",
        cells=_fixed_cells(),
        profile="quick",
        remark="The sentence is cut off in the notes. Bayes is the posterior mean here. Two readings, each for three "
        "priors: few data, n of at most 10 at every theta; sparse data, theta of at most 0.05 at every n. A ratio "
        "below 1 speaks for Bayes. Under the uniform prior it is below 1 exactly where theta (1 - theta) > n/(8n + 4): "
        "for rare events, which is what sparse means, the uniform prior is the worse one.",
    ),
    Claim(
        id="estimation.3",
        kind="result",
        statement="The estimates differ only by the prior, and the difference vanishes as 1/n.",
        source="notes, page 001",
        sentence="极大似然估计与贝叶斯估计是统计中两种对模型的参数确定的方法…前者来自于频率派,认为参数是固定的…"
        "而后者属于贝叶斯派,认为参数也是服从某种概率分布的,已有的数据只是在这种参数的分布下产生的。",
        cells=_vanishing_cells(),
        profile="quick",
        remark="The notes say that the prior is the difference; the rate of 1/n and the tolerance of 0.05 are this "
        "project's. MAP stands for Bayes here. Ridge regression of whether there was an affair, on 20 random choices "
        "of rows per size; for Beta(2, 5) there are 0.3 n successes of n = 10 to 10^6.",
    ),
    Claim(
        id="estimation.4",
        kind="result",
        statement="The maximum-likelihood variance is too small by the factor (n - 1)/n.",
        source="textbooks, such as Casella and Berger, Statistical Inference, section 7.3",
        cells=tuple(
            Cell(
                f"n = {n}: mean less (n - 1)/n, in standard errors",
                ProbeValue("variance_bias", "standard_errors", {"n": n}, EXACT),
                Band(-4, 4),
            )
            for n in (2, 5, 20)
        ),
        profile="quick",
        unit="standard errors",
        remark="The section number is unverified. A million samples each.",
    ),
    Claim(
        id="estimation.5",
        kind="result",
        statement="From three dimensions on, the James-Stein estimator has a smaller risk than maximum likelihood, "
        "whatever the true mean.",
        source="James and Stein 1961, Estimation with Quadratic Loss",
        cells=(
            *(
                Cell(
                    f"d = {d}, squared length of the mean {length:g} d: risk over that of ML",
                    ProbeValue("shrinkage", "loss", {"d": d, "length2": length}, EXACT),
                    Band(high=1.0),
                )
                for d in (3, 10, 100)
                for length in (0.0, 0.25, 1.0, 10.0)
            ),
            Cell(
                "d = 2, control: the estimators are the same",
                ProbeValue("shrinkage", "control", {"d": 2, "length2": 0.25}, EXACT),
                Band(0, 0),
            ),
        ),
        profile="quick",
        remark="A million draws in 100 batches. In one dimension the risk is infinite, which no simulation shows as a "
        "figure, so there is no such control.",
    ),
    Claim(
        id="estimation.6",
        kind="result",
        statement="Ridge regression is MAP estimation with a penalty of sigma^2/tau^2.",
        source="algebra, see Bishop 2006, section 3.3",
        cells=tuple(
            Cell(
                f"{data}, penalty {penalty:g}, {who}: relative difference",
                ProbeValue("ridge_is_map", "difference", {"data": data, "penalty": penalty}, implementation),
                Band(0, 1e-10),
            )
            for data in ("diabetes", "20 x 50")
            for penalty in (1e-3, 1e-2, 0.1, 1.0, 10.0, 100.0, 1e3)
            for implementation, who in (("newton", "Newton on the log posterior"), ("sklearn_ridge", "scikit-learn"))
        ),
        profile="quick",
        remark="The section number is unverified.",
    ),
    Claim(
        id="estimation.7",
        kind="cost",
        statement="Hamiltonian Monte Carlo beats random-walk Metropolis in effective samples per second, by a factor "
        "that rises with the dimension.",
        source="Neal 2011, section 5.4; Roberts and Rosenthal 2001",
        cells=_growth_cells(),
        remark="The section number is unverified. Both are tuned, and go on until every coordinate has 100 effective "
        "draws, so that the ratio of times is that of effective samples per second, with tuning inside on both sides "
        "and compiling on neither. Theory predicts an exponent of 0.75 in evaluations. "
        "Dimensions above 32, and above 8 for the correlated target, are left out: the random walk would take minutes "
        "a call, then hours.",
    ),
)
