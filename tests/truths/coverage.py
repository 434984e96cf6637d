"""How often the intervals of ``harness.statistics`` hold the truth, by simulation on known noise.

``python -m tests.truths.coverage`` writes ``results/published/truths/coverage.csv``: a row for each estimate, noise,
number of rounds and number of blocks. Its columns are the share of intervals that hold the truth, their median half
width, the share that say that blocks are correlated and the share that neither hold the truth nor say so. Under
``stopped_median`` the number of blocks is the mean at which the stopping rule ended a single process, at most 200.
Fixed seeds; about twenty minutes on one core.
"""

from __future__ import annotations

import argparse
import csv
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from functools import lru_cache
from pathlib import Path

import numpy as np

from harness.statistics import (
    Estimate,
    Observations,
    StoppingRule,
    crossover,
    growth_exponent,
    independent_ratio,
    median_estimate,
    paired_ratio,
)

Noise = Callable[[np.random.Generator, int], np.ndarray]
"""Logarithms of the relative noise of that many successive blocks."""

PROCESS_SPREAD = 0.03
SIZES = (100.0, 200.0, 400.0, 800.0)
EXPONENT = 1.5
RATIO = 1.05
CROSSING = {2.0: 0.8, 4.0: 0.95, 8.0: 1.1, 16.0: 1.3}
DESIGNS = ((1, 20), (1, 50), (3, 10), (5, 5), (5, 20), (8, 10), (10, 20))


def normal(rng: np.random.Generator, count: int) -> np.ndarray:
    return np.log1p(0.05 * rng.standard_normal(count).clip(-15, 15))


def lognormal(rng: np.random.Generator, count: int) -> np.ndarray:
    return 0.2 * rng.standard_normal(count)


def bimodal(rng: np.random.Generator, count: int) -> np.ndarray:
    """Three in ten blocks are a quarter slower."""
    return 0.02 * rng.standard_normal(count) + math.log(1.25) * (rng.random(count) < 0.3)


def student2(rng: np.random.Generator, count: int) -> np.ndarray:
    """Student's t with two degrees of freedom on the logarithm: no variance."""
    return 0.03 * rng.standard_t(2, count)


def spikes(rng: np.random.Generator, count: int) -> np.ndarray:
    """One block in ten is hit by a delay with a Pareto tail of index 1.5."""
    hit = (rng.random(count) < 0.1) * 0.1 * (1 + rng.pareto(1.5, count))
    return np.log(np.exp(0.01 * rng.standard_normal(count)) + hit)


def autoregressive(correlation: float) -> Noise:
    def noise(rng: np.random.Generator, count: int) -> np.ndarray:
        steps = rng.standard_normal(count)
        values = np.empty(count)
        values[0] = steps[0]
        for index in range(1, count):
            values[index] = correlation * values[index - 1] + math.sqrt(1 - correlation**2) * steps[index]
        return 0.05 * values

    return noise


NOISES: Mapping[str, Noise] = {
    "normal": normal,
    "lognormal": lognormal,
    "bimodal": bimodal,
    "student2": student2,
    "spikes": spikes,
    "ar0.3": autoregressive(0.3),
    "ar0.6": autoregressive(0.6),
    "ar0.9": autoregressive(0.9),
}


STOPPED = ("normal", "student2", "bimodal", "spikes", "ar0.3", "ar0.6")


@lru_cache(maxsize=64)
def noise_median(noise: str) -> float:
    """Median of the logarithm of the noise, from enough draws to be known to a few thousandths of its scatter."""
    if noise.startswith("ar"):
        return 0.0
    return float(np.median(NOISES[noise](np.random.default_rng(11), 1_000_000)))


def observe(rng: np.random.Generator, noise: str, rounds: int, blocks: int, cost: float = 1.0) -> Observations:
    """A contestant's values: cost times the luck of the process (with several rounds) times the noise of a block."""
    found = {}
    for number in range(rounds):
        luck = PROCESS_SPREAD * rng.standard_normal() if rounds > 1 else 0.0
        for block, value in enumerate(cost * np.exp(luck + NOISES[noise](rng, blocks))):
            found[number, block] = float(value)
    return found


def _median(rng: np.random.Generator, noise: str, rounds: int, blocks: int) -> Estimate:
    return median_estimate(observe(rng, noise, rounds, blocks))


def _paired(rng: np.random.Generator, noise: str, rounds: int, blocks: int) -> Estimate:
    return paired_ratio(observe(rng, noise, rounds, blocks, RATIO), observe(rng, noise, rounds, blocks))


def _independent(rng: np.random.Generator, noise: str, rounds: int, blocks: int) -> Estimate:
    return independent_ratio(observe(rng, noise, rounds, blocks, RATIO), observe(rng, noise, rounds, blocks))


def _exponent(rng: np.random.Generator, noise: str, rounds: int, blocks: int) -> Estimate:
    return growth_exponent({size: observe(rng, noise, rounds, blocks, size**EXPONENT) for size in SIZES})


def _crossover(rng: np.random.Generator, noise: str, rounds: int, blocks: int) -> Estimate:
    above = [observe(rng, noise, rounds, blocks, ratio) for ratio in CROSSING.values()]
    below = [observe(rng, noise, rounds, blocks) for _ in CROSSING]
    return crossover(list(CROSSING), above, below)


def _crossing() -> float:
    """Where the line from (4, ln 0.95) to (8, ln 1.1) passes zero."""
    return 4 + 4 * -math.log(0.95) / (math.log(1.1) - math.log(0.95))


ESTIMATES: Mapping[str, Callable[[np.random.Generator, str, int, int], Estimate]] = {
    "median": _median,
    "paired_ratio": _paired,
    "independent_ratio": _independent,
    "growth_exponent": _exponent,
    "crossover": _crossover,
}


def truth(estimate: str, noise: str) -> float:
    """What the interval is to hold.

    The noise of both sides of a ratio and of all sizes has one shape, so ratios and slopes are free of it.
    """
    return {
        "median": math.exp(noise_median(noise)),
        "paired_ratio": RATIO,
        "independent_ratio": RATIO,
        "growth_exponent": EXPONENT,
        "crossover": _crossing(),
    }[estimate]


@dataclass(frozen=True)
class Coverage:
    estimate: str
    noise: str
    rounds: int
    blocks: int
    repeats: int
    coverage: float
    median_half_width: float
    noticed: float
    silent_misses: float


def coverage(estimate: str, noise: str, rounds: int, blocks: int, repeats: int) -> Coverage:
    rng = np.random.default_rng([len(estimate), *map(ord, noise), rounds, blocks])
    found = [ESTIMATES[estimate](rng, noise, rounds, blocks) for _ in range(repeats)]
    return summarise(found, truth(estimate, noise), estimate, noise, rounds, blocks)


def summarise(
    found: Sequence[Estimate], target: float, estimate: str, noise: str, rounds: int, blocks: int
) -> Coverage:
    held = [each.low <= target <= each.high for each in found]
    said = ["correlated" in each.caution for each in found]
    return Coverage(
        estimate,
        noise,
        rounds,
        blocks,
        len(found),
        coverage=sum(held) / len(found),
        median_half_width=float(f"{np.median([(each.high - each.low) / 2 for each in found]):.4g}"),
        noticed=sum(said) / len(found),
        silent_misses=sum(not (hold or say) for hold, say in zip(held, said, strict=True)) / len(found),
    )


def coverage_when_stopped(noise: str, repeats: int, target: float, most_blocks: int = 200) -> Coverage:
    """One process whose blocks end when the stopping rule calls the median precise."""
    rng = np.random.default_rng([77, *map(ord, noise)])
    rule = StoppingRule(target=target)
    found, blocks = [], 0
    for _ in range(repeats):
        values: dict[tuple[int, int], float] = {}
        for block, value in enumerate(np.exp(NOISES[noise](rng, most_blocks))):
            values[0, block] = float(value)
            if rule.judge(values).state == "precise":
                break
        found.append(median_estimate(values))
        blocks += len(values)
    return summarise(found, truth("median", noise), f"stopped_median_{target}", noise, 1, round(blocks / repeats))


def table(repeats: int) -> Iterator[Coverage]:
    """Crossovers and stopped processes take several estimates or looks each and a quarter of the repeats."""
    for estimate in ESTIMATES:
        for noise in NOISES:
            for rounds, blocks in DESIGNS:
                each = repeats // 4 if estimate == "crossover" else repeats
                yield coverage(estimate, noise, rounds, blocks, each)
    for noise in STOPPED:
        for target in (0.02, 0.04):
            yield coverage_when_stopped(noise, repeats // 4, target)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--repeats", type=int, default=2000)
    parser.add_argument("--output", type=Path, default=Path("results/published/truths/coverage.csv"))
    options = parser.parse_args()
    with options.output.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, [each.name for each in fields(Coverage)], lineterminator="\n")
        writer.writeheader()
        for row in table(options.repeats):
            writer.writerow(asdict(row))
            file.flush()


if __name__ == "__main__":
    main()
