"""When enough has been measured: decisions at fixed numbers of processes, with one error for all of them together.

After each look at the data a comparison is decided if its interval says so, and otherwise goes on. Looking several
times and at many comparisons would find a difference by chance more often than an interval says, so that the error is
spread: over looks by an alpha-spending function (Lan and DeMets 1983, Discrete sequential boundaries for clinical
trials), a power of the share of the data that is there (Kim and DeMets 1987), and over comparisons in equal parts.
Each part is spent on an interval of its own, so that by Bonferroni's inequality all intervals of all looks hold
together whatever their dependence. The usual boundaries (Pocock 1977; O'Brien and Fleming 1979) are a little narrower
because they take the looks for jointly normal, which the ranks of seven values are not. Looks after fewer processes
than seven would waste their share: the signed ranks of seven bound a centre with 98.4 % for any symmetric scatter,
those of six with 96.9 % only.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from harness.comparing import Change, decide
from harness.statistics import Estimate, Observations, paired_ratio

LOOKS = (7, 10, 14, 20, 28)
ERROR = 0.05
# Below 1, so that the first look's part suffices for an interval of seven.
SPENDING_POWER = 0.75


@dataclass(frozen=True)
class Decision:
    """What is known of one comparison.

    :param rounds: pairs of processes that it rests on.
    """

    ratio: Estimate
    verdict: Change
    rounds: int


@dataclass(frozen=True)
class SequentialRule:
    """Decides comparisons at looks.

    :param comparisons: how many share the error: those of one instrument.
    :param looks: rounds after which comparisons are looked at, rising.
    :param error: probability that any interval of any look and comparison misses the truth.
    """

    comparisons: int = 1
    looks: tuple[int, ...] = LOOKS
    error: float = ERROR

    def __post_init__(self) -> None:
        if not self.looks or list(self.looks) != sorted(set(self.looks)) or self.looks[0] < 2:
            raise ValueError(f"looks must be rising numbers of rounds from 2, not {self.looks}")
        if not 0 < self.error < 1 or self.comparisons < 1:
            raise ValueError(f"an error in (0, 1) and a comparison at least, not {self.error} and {self.comparisons}")

    @property
    def last(self) -> int:
        return self.looks[-1]

    def spent(self, look: int) -> float:
        """The share of one comparison's error that the look of this number, from 0, spends."""
        before = self.looks[look - 1] if look else 0
        return self._spent_by(self.looks[look]) - self._spent_by(before)

    def _spent_by(self, rounds: int) -> float:
        return float((rounds / self.last) ** SPENDING_POWER)

    def confidence(self, rounds: int) -> float:
        """Of the interval after so many rounds: between two looks, where only a budget ends, that of the later one."""
        look = next((index for index, least in enumerate(self.looks) if rounds <= least), len(self.looks) - 1)
        return 1 - self.error * self.spent(look) / self.comparisons

    def judge(self, head: Observations, base: Observations, rounds: int, threshold: float) -> Decision:
        """Head's cost over base's after so many rounds.

        Before the first look nothing is decided: intervals of fewer processes hardly tell how processes differ.

        :param threshold: smallest share by which head is slower or faster and no longer the same.
        :raises ValueError: the sides share no block, or a value is not positive.
        """
        ratio = paired_ratio(head, base, self.confidence(rounds))
        pairs = len({number for number, _ in set(head) & set(base)})
        return Decision(ratio, decide(ratio, threshold) if pairs >= self.looks[0] else "undecided", pairs)


@dataclass(frozen=True)
class Forecast:
    """Shares of decisions that would come out so."""

    different: float
    undecided: float
    mean_rounds: float


def forecast(
    rule: SequentialRule, scatter: float, threshold: float, truth: float = 1.0, draws: int = 1000, seed: int = 0
) -> Forecast:
    """What the rule would decide of pairs whose ratio is ``truth``, by simulation.

    :param scatter: standard deviation of a pair of processes' log ratio, taken for normal.
    """
    rng = np.random.default_rng(seed)
    different = undecided = rounds = 0
    for logs in rng.normal(math.log(truth), scatter, (draws, rule.last)):
        decision = follow(rule, np.exp(logs).tolist(), threshold)
        different += decision.verdict in ("slower", "faster")
        undecided += decision.verdict == "undecided"
        rounds += decision.rounds
    return Forecast(different / draws, undecided / draws, rounds / draws)


def follow(rule: SequentialRule, ratios: Sequence[float], threshold: float) -> Decision:
    """The decision on ratios of pairs of processes that come one after another.

    :raises ValueError: they are fewer than the first look takes.
    """
    if len(ratios) < rule.looks[0]:
        raise ValueError(f"the first look takes {rule.looks[0]} pairs, not {len(ratios)}")
    for look in rule.looks:
        head = {(number, 0): ratio for number, ratio in enumerate(ratios[:look])}
        decision = rule.judge(head, _ones(look), look, threshold)
        if decision.verdict != "undecided" or look >= len(ratios):
            break
    return decision


@lru_cache(maxsize=64)
def _ones(count: int) -> Observations:
    return {(number, 0): 1.0 for number in range(count)}
