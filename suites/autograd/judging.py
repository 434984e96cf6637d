"""How far an answer is from the reference; finite differences are held to 1e-6, everything else to the tolerance."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from harness.contract import Arrays, Inputs, Tolerance

DERIVATIVE = Tolerance({"float64": 1e-10, "float32": 1e-4})
"""1e-10 is what rounding leaves of an exact derivative in float64; the limit in float32 is ours."""
OF_DIFFERENCES = 1e-6


def measure_errors(outputs: Arrays, expected: Arrays, inputs: Inputs, kind: str) -> Mapping[str, float]:
    """Largest difference over the largest number of each output; infinities must be where they belong.

    A single product with a tangent is a sum that may cancel: its scale is the sum of its absolute terms. A chain is
    allowed a rounding for each operation. Derivatives of the kind ``finite`` count by the share of 1e-6 that they are
    off, in units of the tolerance; their scale is at least the value's, whose rounding a difference magnifies.
    """
    of_value = float(np.abs(expected["value"]).max(initial=0.0)) if kind == "finite" else 0.0
    terms = np.abs(expected["gradient"] * inputs["tangent"]).sum() if len(expected["value"]) == 1 else 0.0
    errors = {
        name: _relative(output, expected[name], max(of_value, float(terms) if name == "product" else 0.0))
        / _roundings(output, inputs)
        for name, output in outputs.items()
    }
    if kind == "finite":
        scale = DERIVATIVE.limits["float64"] / OF_DIFFERENCES
        errors = {name: error if name == "value" else error * scale for name, error in errors.items()}
    return errors


def _roundings(output: np.ndarray, inputs: Inputs) -> float:
    """By how much more than the tolerance a long chain may be off."""
    if output.dtype.name not in DERIVATIVE.limits:
        return 1.0
    rounding = float(np.finfo(output.dtype).eps) / DERIVATIVE.limits[output.dtype.name]
    return max(1.0, int(inputs["length"]) * rounding)


def _relative(output: np.ndarray, expected: np.ndarray, least_scale: float = 0.0) -> float:
    if expected.size == 0:
        return 0.0
    finite = np.isfinite(expected)
    if not np.array_equal(output[~finite], expected[~finite]) or not np.isfinite(output[finite]).all():
        return float("inf")
    difference = np.abs(output[finite].astype(np.float64) - expected[finite]).max(initial=0.0)
    scale = max(np.abs(expected[finite]).max(initial=0.0), least_scale)
    return float(difference / scale if scale > 0 else difference)
