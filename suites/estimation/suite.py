"""Maximum likelihood, maximum a posteriori and Bayes estimation of four models.

==========  ============================================  =====================  =============================
model       likelihood                                    ``prior``              estimated
==========  ============================================  =====================  =============================
bernoulli   y is 1 with probability theta                 a, b of a Beta         theta
gaussian    y normal                                      mu, kappa, alpha,      mean, variance
                                                          beta (conjugate)
linear      y normal about X w, known noise variance      noise variance, tau^2  w
logistic    y is 1 with probability 1/(1 + exp(-X w))     tau^2                  w
==========  ============================================  =====================  =============================

Coefficients have the prior N(0, tau^2 I), of which the first ``unpenalised`` ones (the intercept, or none) are free.
``goal`` is ``mle`` (the prior is ignored), ``map`` or ``posterior``. Outputs are ``centre`` (p,), the estimate or the
posterior means, and ``spread``: for a posterior (4, p) with deviations and the quantiles at 2.5, 50 and 97.5 %, for a
point estimate (0, p).

Samplers go on until at least four chains agree (split R-hat at most 1.01) and every coordinate has ``effective``
effective draws, in the bulk and in the tails, so that their times are those of equal work. Where an estimate does not
exist (no rows, separable classes, collinear features, a mode at the boundary) implementations raise ``ValueError``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from harness.contract import Inputs, Output, Suite, Tolerance, Work, grid
from suites.estimation.claims import CLAIMS
from suites.estimation.data import MAKERS
from suites.estimation.judging import measure_errors
from suites.estimation.probes import PROBES
from suites.estimation.reference import reference

MODELS = {
    **dict.fromkeys(("bernoulli", "no_success", "all_successes"), "bernoulli"),
    "normal": "gaussian",
    **dict.fromkeys(("regression", "collinear", "diabetes", "independent", "autoregressive"), "linear"),
    **dict.fromkeys(("classes", "separable", "breast_cancer", "spector", "anes96", "fair"), "logistic"),
}
FLAT = 1e12
"""A prior variance that says nothing next to a few observations."""
PRIORS = {"bernoulli": (2.0, 5.0), "gaussian": (0.0, 1.0, 3.0, 2.0), "linear": (1.0, 10.0), "logistic": (4.0,)}
LARGEST_CHECKED = 1e6
ROWS_PER_COEFFICIENT = 20
"""With far fewer a plane separates two classes, and their likelihood has no maximum (Candès and Sur 2020, The phase
transition for the existence of the maximum likelihood estimate in high-dimensional logistic regression)."""
WITH_ONES = ("classes", "separable", "breast_cancer", "spector", "anes96", "fair")


def make_inputs(
    rng: np.random.Generator,
    *,
    model: str,
    goal: str,
    n: int,
    d: int = 0,
    data: str = "",
    effective: int = 200,
    a: float = 0.0,
    b: float = 0.0,
    tau2: float = 0.0,
    penalise_intercept: bool = False,
) -> Inputs:
    """Draw or load ``x`` (n, d) and ``y`` (n,).

    :param data: a maker of :mod:`suites.estimation.data` that fits the model.
    :param a: of the Beta prior, with ``b``; 0 for the default of 2 and 5.
    :param tau2: prior variance of the coefficients; 0 for the default.
    :raises ValueError: the data belongs to another model.
    """
    data = (
        data or {"bernoulli": "bernoulli", "gaussian": "normal", "linear": "regression", "logistic": "classes"}[model]
    )
    if MODELS[data] != model:
        raise ValueError(f"the data {data!r} is for the model {MODELS[data]!r}, not {model!r}")
    x, y = MAKERS[data](rng, n, d)
    prior = np.array(PRIORS[model])
    if a:
        prior = np.array([a, b])
    if tau2 or data in ("independent", "autoregressive"):
        prior[-1] = tau2 or FLAT
    intercept = data in WITH_ONES and d > 1 and not penalise_intercept
    return {
        "x": x,
        "y": y,
        "model": model,
        "goal": goal,
        "prior": prior,
        "unpenalised": int(intercept and goal != "posterior"),
        "effective": effective,
        "seed": int(rng.integers(2**31)),
    }


def work(itemsize: int, *, model: str, goal: str, n: int, d: int = 0, **_: Any) -> Mapping[str, Work]:
    """The least that is known: one pass over the table, its products where there are coefficients."""
    products = n * d * d + d**3 / 3 if model in ("linear", "logistic") else 2.0 * n
    return {"estimate": Work(float(products), bytes_read=float(n * (d + 1) * itemsize))}


def check_case(case: Mapping[str, Any]) -> Mapping[str, Any]:
    """Fewer rows where the reference would take more than a fraction of a second."""
    n, d = int(case["n"]), max(1, int(case.get("d", 0)))
    fewer = max(int(LARGEST_CHECKED / d**2), ROWS_PER_COEFFICIENT * d if case["goal"] == "mle" else 1)
    return case if n <= fewer or "data" in case else {**case, "n": fewer}


EDGE_CASES = (
    *grid(model=["bernoulli"], goal=["mle", "map", "posterior"], n=[12], data=["no_success", "all_successes"]),
    *grid(model=["bernoulli"], goal=["posterior"], n=[0]),
    *grid(model=["bernoulli"], goal=["posterior"], n=[9], a=[0.5], b=[0.5]),
    *grid(model=["gaussian"], goal=["map"], n=[1]),
    *grid(model=["gaussian"], goal=["posterior"], n=[30]),
    *grid(model=["linear"], goal=["map"], n=[20], d=[4], data=["collinear"]),
    *grid(model=["linear"], goal=["posterior"], n=[20], d=[4], data=["collinear"], tau2=[0.25]),
    *grid(model=["linear"], goal=["map"], n=[10], d=[20], tau2=[1e-6, 1.0, 1e3]),
    *grid(model=["logistic"], goal=["map"], n=[40], d=[3], data=["separable"], penalise_intercept=[True]),
    *grid(model=["logistic"], goal=["map"], n=[40], d=[3], penalise_intercept=[True, False]),
    *grid(model=["logistic"], goal=["mle", "map"], n=[32], d=[4], data=["spector"]),
)
CASES = (
    *grid(model=["logistic"], goal=["map"], n=[500, 2_000, 8_000], d=[10]),
    *grid(model=["logistic"], goal=["mle"], n=[500], d=[5]),
    *grid(model=["logistic"], goal=["posterior"], n=[200], d=[1]),
    *grid(model=["linear"], goal=["map", "posterior"], n=[100], d=[4]),
    *grid(model=["bernoulli", "gaussian"], goal=["mle", "posterior"], n=[50]),
    *grid("full", model=["logistic"], goal=["mle", "map"], n=[100_000], d=[10, 100]),
    *grid("full", model=["logistic"], goal=["map"], n=[1_000], d=[500]),
    *grid("full", model=["logistic"], goal=["mle", "map"], n=[6_366], d=[9], data=["fair"]),
    *grid("full", model=["logistic"], goal=["map"], n=[569], d=[31], data=["breast_cancer"]),
    *grid("full", model=["logistic"], goal=["mle", "map"], n=[944], d=[6], data=["anes96"]),
    *grid("full", model=["linear"], goal=["map"], n=[442], d=[10], data=["diabetes"]),
    *grid("full", model=["linear"], goal=["posterior"], n=[32], d=[32], data=["independent"]),
    *grid("full", model=["linear"], goal=["posterior"], n=[8], d=[8], data=["autoregressive"]),
)
SHARE = Tolerance({"*": 1.0})

SUITE = Suite(
    name="estimation",
    title="Maximum likelihood, MAP and Bayes estimation",
    cases=CASES,
    make_inputs=make_inputs,
    reference=reference,
    phases={"estimate": (Output("centre", SHARE), Output("spread", SHARE))},
    baseline="newton",
    axis="n",
    naive="metropolis_python",
    work=work,
    edge_cases=EDGE_CASES,
    check_case=check_case,
    measure_errors=measure_errors,
    dtypes={"cpu": ("float64",), "cuda": ("float64",)},
    claims=CLAIMS,
    probes=PROBES,
    call_timeout_s=300.0,
)
