"""Ensembles opened up for the suite's probes: members of the probe's choice, and what was fitted in which order."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from impls.building_blocks.ensembles.fitting import Fit, in_a_loop
from impls.building_blocks.ensembles.methods import fit
from impls.building_blocks.ensembles.problem import Model, Problem
from impls.building_blocks.ensembles.stacking import fit_stacking
from suites.ensembles.suite import Make


@dataclass
class Opened:
    """One ensemble, fitted step by step.

    :param inputs: those of the suite but ``x_test``.
    :param make: the factory of members.
    :param leaky: stacking on the members' answers to their own rows.
    """

    inputs: Mapping[str, Any]
    make: Make
    leaky: bool = False
    batches: list[int] = field(default_factory=list)
    """Numbers of fits that could run at the same time, in order: each batch waits for the one before."""

    def fit(self) -> Model:
        """The fitted ensemble, whose ``scores`` take fresh rows."""
        arguments = {key: value for key, value in self.inputs.items() if key not in ("x_train", "y_train", "x_test")}
        problem = Problem(self.inputs["x_train"], self.inputs["y_train"], **arguments, make=self.make)
        return fit_stacking(problem, self._run, leaky=True) if self.leaky else fit(problem, self._run)

    def _run(self, tasks: Sequence[Callable[[], Any]]) -> list[Any]:
        fits = sum(isinstance(task, Fit) for task in tasks)
        if fits:
            self.batches.append(fits)
        return in_a_loop(tasks)
