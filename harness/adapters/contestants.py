"""Contestants for other people's benchmark runners, which measure in their own process."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from harness.contract import Case, Implementation, Inputs, Suite
from harness.discovery import Catalogue, Listing
from harness.instruments.memory import HostMemoryMeter
from harness.seeds import derive_seed
from harness.worker.arrays import draw_inputs, hand_over
from harness.worker.calls import call, no_lap
from harness.worker.checking import check_call
from harness.worker.loading import load_implementation
from harness.worker.threads import limit_threads

SEED = 0
THREADS = 1
DEVICE = "cpu"


class WrongAnswer(AssertionError):
    """The implementation's answer is wrong, so it is not timed."""


@dataclass(frozen=True)
class Contestant:
    """One implementation on one quick case of its suite, on the CPU with one thread."""

    catalogue: Catalogue = field(repr=False)
    listing: Listing
    case: Case

    @property
    def suite(self) -> Suite:
        return self.catalogue.suites[self.listing.suite]

    @property
    def dtype(self) -> str:
        """The suite's first dtype that the implementation has."""
        return next(dtype for dtype in self.suite.dtypes[DEVICE] if dtype in self.listing.dtypes)

    @property
    def label(self) -> str:
        return f"{self.listing.suite}/{self.listing.name}[{self.case.label}]"

    def prepare(self) -> PreparedCall:
        """Load the implementation, check its answer, and draw the inputs that are timed.

        :raises WrongAnswer: the check failed.
        """
        implementation = self._load(self.listing.name)
        limit_threads(THREADS)
        check = check_call(
            self.suite,
            implementation,
            self.case,
            dtype=self.dtype,
            device=DEVICE,
            seed=derive_seed(SEED, self.label, "check"),
            load_naive=lambda: self._load(self.suite.naive),
        )
        if not check.right:
            raise WrongAnswer(f"{self.label}: {check.reason}")
        drawn = draw_inputs(self.suite, self.case, self.dtype, derive_seed(SEED, self.listing.suite, self.case.label))
        return PreparedCall(
            implementation, hand_over(self.suite, drawn, implementation.arrays, DEVICE, self.dtype), self.suite
        )

    def _load(self, name: str) -> Implementation:
        listing = self.catalogue.find(self.listing.suite, name)
        return load_implementation(listing.module, listing.path, (*self.catalogue.project.packages, "harness"))


@dataclass
class PreparedCall:
    """A checked implementation with inputs; calling it makes one call with all phases."""

    implementation: Implementation
    inputs: Inputs
    suite: Suite

    def __call__(self) -> dict[str, Any]:
        return call(self.implementation, self.inputs, self.implementation.phase_names, no_lap)

    def count_within(self, seconds: float) -> int:
        """How many calls take about so long, one at least; the second call tells, since the first may compile."""
        self()
        begin = time.perf_counter()
        self()
        return max(1, round(seconds / max(time.perf_counter() - begin, 1e-9)))

    def peak_bytes(self) -> float:
        """Growth of the process over one call, at its largest; an earlier call takes what is done once."""
        meter = HostMemoryMeter()

        def run(lap: Any) -> object:
            return call(self.implementation, self.inputs, self.implementation.phase_names, lap)

        self()
        return max(meter.measure(run).values())


def contestants(catalogue: Catalogue) -> Iterator[Contestant]:
    """Every implementation that can run here on every quick case that it does.

    One that writes into its inputs is left out: these runners repeat a call without giving it fresh ones. So is an
    inline expression: they call a function, which costs more than it.
    """
    for suite in catalogue.suites.values():
        for listing in catalogue.of(suite.name):
            if not listing.available or DEVICE not in listing.devices or listing.mutates or listing.inline:
                continue
            if not set(listing.dtypes) & set(suite.dtypes[DEVICE]):
                continue
            for case in suite.cases_of("quick"):
                if not listing.excludes(case):
                    yield Contestant(catalogue, listing, case)
