"""Numbers in, estimates with intervals out; no input or output of any other kind."""

from harness.statistics.comparisons import independent_ratio, paired_differences, paired_ratio
from harness.statistics.estimates import Estimate, Observations
from harness.statistics.growth import crossover, growth_exponent
from harness.statistics.location import mean_estimate, median_estimate

__all__ = [
    "Estimate",
    "Observations",
    "crossover",
    "growth_exponent",
    "independent_ratio",
    "mean_estimate",
    "median_estimate",
    "paired_differences",
    "paired_ratio",
]
