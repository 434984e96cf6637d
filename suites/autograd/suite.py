"""Value, gradient and directional derivative of programs written against a small set of operations.

A program is a function f from R^n to R^m in ordinary Python, loops and recursion included
(:mod:`suites.autograd.programs`); every implementation runs the same text with operations of its own
(:mod:`suites.autograd.operations`). Its phases:

- ``value``: f(x) without any derivative, as the implementation computes it where nobody asks for one.
- ``gradient``: the value once more, with the gradient of cotangent . f.
- ``product``: the Jacobian times a tangent; for implementations that go forward.

Where a function has a kink, the derivative is that of one side or between both: 0 for relu and the absolute value at 0,
for the maximum the first of equal ones. Logarithms of 0 and divisions by 0 give infinities as IEEE 754 says.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from harness.contract import Inputs, Output, Suite, Work, grid
from suites.autograd.claims import CLAIMS
from suites.autograd.data import FEATURES, MAKERS, ROWS, Size
from suites.autograd.judging import DERIVATIVE, measure_errors
from suites.autograd.probes import PROBES
from suites.autograd.reference import reference

LARGEST_CHECKED = {"layers": 16, "width": 128}


def make_inputs(
    rng: np.random.Generator,
    *,
    program: str,
    n: int = 0,
    length: int = 0,
    layers: int = 0,
    width: int = 0,
    batch: int = 0,
    segments: int = 0,
) -> Inputs:
    """Draw a program's variable and constants.

    :param n: numbers in x, where the program leaves it open.
    :param length: operations of a chain, or of a deep graph.
    :param layers: equal layers of ``width`` squared weights; ``width`` is also that of the network for digits.
    :param segments: pieces for checkpointing; 0 for about the square root of the number of layers.
    """
    x, table, targets = MAKERS[program](rng, Size(n, layers, width, batch))
    several = ROWS if program == "layer" else 1
    return {
        "program": program,
        "x": x,
        "table": table,
        "targets": targets,
        "tangent": rng.normal(size=len(x)) if program not in ("log_of_zero", "one_over_zero") else np.ones(1),
        "cotangent": rng.normal(size=several) if several > 1 else np.ones(1),
        "length": length,
        "segments": segments or max(1, round(layers**0.5)),
    }


def work(itemsize: int, *, program: str, **sizes: int) -> Mapping[str, Work]:
    """Matrix products, twice as many again for the gradient, less the first layer's; elsewhere an operation a number.

    Bytes are those of the constants and of x, read once, and of the gradient.
    """
    n, layers, width, batch = (sizes.get(name, 0) for name in ("n", "layers", "width", "batch"))
    if program == "layers":
        product, numbers, constants = 2.0 * batch * width**2, layers * width**2, batch * width
        value, gradient = layers * product, (3 * layers - 1) * product
    elif program == "digits":
        first, second = 2.0 * batch * FEATURES * width, 2.0 * batch * width * 10
        numbers, constants = (FEATURES + 11) * width + 10, batch * (FEATURES + 10)
        value, gradient = first + second, 2 * first + 3 * second
    else:
        rows = ROWS if program in ("tanh_squares", "layer") else 1
        numbers, constants = max(n, 1), rows * n
        value = 2.0 * rows * n + sizes.get("length", 0)
        gradient = 2 * value
    read = float((numbers + constants) * itemsize)
    return {
        "value": Work(value, bytes_read=read),
        "gradient": Work(gradient, bytes_read=read, bytes_written=float(numbers * itemsize)),
        "product": Work(2 * value, bytes_read=read + numbers * itemsize),
    }


def check_case(case: Mapping[str, Any]) -> Mapping[str, Any]:
    """Fewer and narrower layers where the reference would take long; how they are cut stays the square root."""
    if case["program"] != "layers":
        return case
    return {**case, **{name: min(int(case[name]), most) for name, most in LARGEST_CHECKED.items()}}


EDGE_CASES = (
    *grid(program=["shared", "unused", "broadcast", "gather", "powers", "kinks", "rosenbrock"], n=[6]),
    *grid(program=["log_of_zero", "one_over_zero"]),
    *grid(program=["tanh_squares"], n=[0]),
    *grid(program=["layer"], n=[5]),
    *grid(program=["collatz"], n=[1]),
    *grid(program=["newton"], n=[2]),
    *grid(program=["tree"], n=[9]),
    *grid(program=["chain"], n=[1], length=[200]),
    *grid(program=["deep"], n=[1], length=[100_000]),
    *grid(program=["layers"], layers=[9], width=[4], batch=[3], segments=[1, 2, 3, 20]),
    *grid(program=["digits"], width=[3], batch=[7]),
    *grid(program=["logistic"]),
)
CASES = (
    *grid(program=["tanh_squares"], n=[10, 100, 316]),
    *grid("full", program=["tanh_squares"], n=[32, 1_000]),
    *grid("full", program=["rosenbrock"], n=[1_000]),
    *grid("full", program=["chain"], n=[1], length=[1_000]),
    *grid("full", program=["digits"], width=[64], batch=[256]),
    *grid("full", program=["logistic"]),
    *grid("full", program=["layers"], layers=[16], width=[128], batch=[64]),
)

SUITE = Suite(
    name="autograd",
    title="Gradients of programs: differences, complex steps, dual numbers and tapes",
    cases=CASES,
    make_inputs=make_inputs,
    reference=reference,
    phases={
        "value": (Output("value", DERIVATIVE),),
        "gradient": (Output("gradient", DERIVATIVE),),
        "product": (Output("product", DERIVATIVE),),
    },
    baseline="torch_grad",
    naive="finite_forward",
    axis="n",
    work=work,
    edge_cases=EDGE_CASES,
    check_case=check_case,
    measure_errors=measure_errors,
    dtypes={"cpu": ("float64",), "cuda": ("float64",)},
    claims=CLAIMS,
    probes=PROBES,
)
