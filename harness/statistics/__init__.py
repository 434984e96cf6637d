"""Numbers in, estimates with intervals out; no input or output of any other kind."""

from harness.statistics.comparisons import (
    cost_difference,
    independent_ratio,
    mean_ratio,
    paired_differences,
    paired_ratio,
)
from harness.statistics.crossover import crossover
from harness.statistics.equivalence import (
    equivalence_confidence,
    equivalent,
    equivalent_costs,
    simultaneous_confidence,
    simultaneous_ratios,
)
from harness.statistics.estimates import Estimate, Observations
from harness.statistics.growth import cost_slope, growth_exponent, growth_of_ratio, ratio_trend
from harness.statistics.location import mean_estimate, median_estimate
from harness.statistics.overhead import constant_overhead
from harness.statistics.prediction import prediction_error
from harness.statistics.stopping import Progress, StoppingRule
from harness.statistics.warmup import WarmUp, find_warmup

__all__ = [
    "Estimate",
    "Observations",
    "Progress",
    "StoppingRule",
    "WarmUp",
    "constant_overhead",
    "cost_difference",
    "cost_slope",
    "crossover",
    "equivalence_confidence",
    "equivalent",
    "equivalent_costs",
    "find_warmup",
    "growth_exponent",
    "growth_of_ratio",
    "independent_ratio",
    "mean_estimate",
    "mean_ratio",
    "median_estimate",
    "paired_differences",
    "paired_ratio",
    "prediction_error",
    "ratio_trend",
    "simultaneous_confidence",
    "simultaneous_ratios",
]
