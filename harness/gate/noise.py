"""What this machine does to two that are the same, measured as the gate measures."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from harness.gate.deciding import SequentialRule, forecast
from harness.known.measure import KnownRatio, measure_known
from harness.statistics.comparisons import log_ratios
from harness.statistics.replicates import replicates
from harness.worker.orders import Settings


@dataclass(frozen=True)
class Noise:
    """One kind of known work, twice the same.

    :param ratio: of the two, whose truth is 1.
    :param low: end of its 95 % interval.
    :param high: the other end.
    :param scatter: standard deviation of the log ratio over pairs of processes.
    :param different: share of decisions on equal code that would be wrong, by simulation with that scatter.
    :param undecided: share that would stay open.
    """

    kind: str
    ratio: float
    low: float
    high: float
    scatter: float
    different: float
    undecided: float


def measure_twice(settings: Settings, rounds: int, seed: int, cpus: tuple[int, ...]) -> list[KnownRatio]:
    """One comparison for each kind of work, after so many rounds: some seconds."""
    once = dataclasses.replace(settings, rounds=rounds, fewest_rounds=rounds)
    return measure_known(["second"], once, repeats=1, seed=seed, cpus=cpus)


def noise_of(ratios: Sequence[KnownRatio], rule: SequentialRule, threshold: float) -> tuple[Noise, ...]:
    """What the ratios of equal work say of decisions about them."""
    found = []
    for ratio in ratios:
        estimate = ratio.estimate(0.95)
        of_processes = replicates(log_ratios(ratio.numerator, ratio.denominator), "pseudomedian").values
        scatter = float(np.std(of_processes, ddof=1)) if len(of_processes) > 1 else math.nan
        ahead = forecast(rule, scatter, threshold)
        found.append(
            Noise(
                kind=str(ratio.case["kind"]),
                ratio=estimate.value,
                low=estimate.low,
                high=estimate.high,
                scatter=scatter,
                different=ahead.different,
                undecided=ahead.undecided,
            )
        )
    return tuple(found)
