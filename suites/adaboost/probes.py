"""What the claims about AdaBoost score. Only the stumps and their weights are an implementation's, the rest is counted.

An implementation is called as it is timed; errors, margins and votes follow from what it delivers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from harness.contract import Implementation, Probe
from suites.adaboost.data import Split, split
from suites.adaboost.replay import least_margins, replay, staged_errors, votes

Values = Mapping[str, Sequence[float]]
SLACK = 1e-12
HASTIE_ROWS, HASTIE_TEST_ROWS = 2_000, 10_000
EARLY, LATE = 20, 500
NOISES = (0, 10, 20)


def trace(rng: np.random.Generator, implementation: Implementation, data: str, rounds: int) -> Values:
    """One run on ``data``: rounds beyond the bounds of the training error, and what reweighting makes of each stump.

    ``distance_to_half`` leaves out a last stump without error, whose weight is capped.
    """
    parts = _split(rng, data, 0)
    outputs = fitted(implementation, parts, rounds, seed=0)
    again = replay(outputs, parts.x_train, parts.y_train)
    staged = staged_errors(outputs, again.votes, parts.y_train)
    product = np.cumprod(2 * np.sqrt(again.errors * (1 - again.errors)))
    looser = np.exp(-2 * np.cumsum((0.5 - again.errors) ** 2))
    broken = (staged > product + SLACK) | (product > looser + SLACK)
    zero = np.flatnonzero(staged == 0)
    order = np.argsort(outputs["errors"][: len(staged)], kind="stable")
    errors, alphas = outputs["errors"][order], outputs["alphas"][order]
    usual = np.flatnonzero(again.errors > 0)
    wrong = again.votes != parts.y_train
    after = np.array([again.weights[m + 1][wrong[m]].sum() for m in usual])
    return {
        "violations": [float(np.count_nonzero(broken))],
        "order_violations": [float(np.count_nonzero((np.diff(errors) > 0) & ~(np.diff(alphas) < 0)))],
        "distance_to_half": [float(np.max(np.abs(after - 0.5), initial=0.0))],
        "zero_error_round": [float(zero[0] + 1) if len(zero) else 0.0],
        "rounds_held": [float(len(staged))],
        "final_training_error": [float(staged[-1])],
    }


def final_errors(
    rng: np.random.Generator, implementation: Implementation, data: str, rounds: int = 200, seeds: int = 30
) -> Values:
    """Test error in points after ``rounds``, with none, a tenth and a fifth of the training labels flipped."""
    values: dict[str, list[float]] = {f"error_pt_noise_{noise}": [] for noise in NOISES}
    for seed in range(seeds):
        for noise in NOISES:
            parts = _split(rng, data, noise)
            outputs = fitted(implementation, parts, rounds, seed)
            cast = votes(outputs, parts.x_test)
            predicted = np.where(outputs["alphas"][: len(cast)] @ cast >= 0, 1, -1)
            values[f"error_pt_noise_{noise}"].append(100 * float(np.mean(predicted != parts.y_test)))
    return values


def late_rounds(rng: np.random.Generator, implementation: Implementation, data: str, seeds: int = 30) -> Values:
    """Test error in points after 500 rounds, and after 20 or in the first round without training error if later.

    Draws in which the training error stays are counted and left out. ``rise_pt_noise_20`` is the difference from round
    20 on, with a fifth of the training labels flipped.
    """
    names = ("early_pt", "late_pt", "margin_early", "margin_late", "zero_error_round", "rise_pt_noise_20")
    values: dict[str, list[float]] = {name: [] for name in names}
    never = 0
    for seed in range(seeds):
        parts = _split(rng, data, 0)
        outputs = fitted(implementation, parts, LATE, seed)
        cast = votes(outputs, parts.x_train)
        zero = np.flatnonzero(staged_errors(outputs, cast, parts.y_train) == 0)
        if len(zero):
            early = max(EARLY, int(zero[0]) + 1)
            margins = least_margins(outputs, cast, parts.y_train)
            staged = _staged_test_errors(outputs, parts)
            values["early_pt"].append(100 * float(staged[min(early, len(staged)) - 1]))
            values["late_pt"].append(100 * float(staged[-1]))
            values["zero_error_round"].append(float(zero[0] + 1))
            values["margin_early"].append(float(margins[min(early, len(margins)) - 1]))
            values["margin_late"].append(float(margins[-1]))
        never += not len(zero)
        noisy = _split(rng, data, 20)
        staged = _staged_test_errors(fitted(implementation, noisy, LATE, seed), noisy)
        values["rise_pt_noise_20"].append(100 * float(staged[-1] - staged[min(EARLY, len(staged)) - 1]))
    return {**values, "never_zero": [float(never)]}


def fitted(implementation: Implementation, parts: Split, rounds: int, seed: int) -> dict[str, np.ndarray]:
    """The outputs of the phase ``boost``, in the mode that the implementation has."""
    modes = (implementation.limits or {}).get("mode", ("reweight",))
    mode = modes[0] if isinstance(modes, tuple) else "reweight"
    delivered = list(implementation.function(parts.x_train, parts.y_train, parts.x_test, rounds, mode, seed))[1]
    return dict(zip(("features", "thresholds", "polarities", "alphas", "errors"), delivered, strict=True))


def _staged_test_errors(outputs: Mapping[str, np.ndarray], parts: Split) -> np.ndarray:
    return staged_errors(outputs, votes(outputs, parts.x_test), parts.y_test)


def _split(rng: np.random.Generator, data: str, noise_percent: int) -> Split:
    return split(rng, data, HASTIE_ROWS, 10, HASTIE_TEST_ROWS, noise_percent)


PROBES: Mapping[str, Probe] = {
    "trace": Probe(trace, unit="1"),
    "final_errors": Probe(final_errors, unit="pt", timeout_s=600.0),
    "late_rounds": Probe(late_rounds, unit="pt", timeout_s=600.0),
}
