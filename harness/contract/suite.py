"""The contract of a topic: what is computed, from which inputs, how well, and at what least cost."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from harness.contract.cases import Case, Profile
from harness.contract.claims import Claim

Inputs = dict[str, Any]
Arrays = dict[str, np.ndarray]
ErrorMeasure = Callable[[Arrays, Arrays, Inputs, str], Mapping[str, float]]


@dataclass(frozen=True)
class Tolerance:
    """How far an output may be from the float64 reference.

    ``limits`` maps a dtype of the trial to the largest allowed error; the error is, unless the suite measures its own,
    the largest absolute difference divided by the largest absolute value of the reference. A dtype that is not listed
    is held to ``naive_factor`` times the error which the suite's ``naive`` implementation makes in the same dtype on
    the same inputs.
    """

    limits: Mapping[str, float] = field(default_factory=dict)
    naive_factor: float = 2.0


@dataclass(frozen=True)
class Output:
    """One named output of a phase.

    ``dtype`` is ``"input"`` for the dtype of the trial, ``"accumulator"`` for float64 in a float64 trial and float32
    in any other, or a NumPy dtype name such as ``"int64"``.
    """

    name: str
    tolerance: Tolerance
    dtype: str = "input"

    def expected_dtype(self, trial_dtype: str) -> str:
        if self.dtype == "input":
            return trial_dtype
        if self.dtype == "accumulator":
            return "float64" if trial_dtype == "float64" else "float32"
        return self.dtype


@dataclass(frozen=True)
class Work:
    """The least one call has to do: floating-point operations, and bytes read and written once each."""

    flops: float
    bytes_read: float = 0.0
    bytes_written: float = 0.0

    @property
    def bytes_moved(self) -> float:
        return self.bytes_read + self.bytes_written


@dataclass(frozen=True)
class Probe:
    """Something a claim counts or scores, independent of the clock.

    ``measure(rng, implementation, **parameters)`` runs in a worker. ``implementation`` is the loaded
    :class:`~harness.contract.implementation.Implementation` that the evidence names, or ``None``. It returns lists of
    numbers by name; where several seeds or folds are scored, one number each in the same order for every
    implementation, so that they can be compared in pairs. An exact count is a list of one number.
    """

    measure: Callable[..., Mapping[str, Sequence[float]]]
    unit: str
    timeout_s: float = 120.0


@dataclass(frozen=True)
class Suite:
    """The contract of one topic.

    :param name: the name of the folder.
    :param title: one line on what is computed.
    :param cases: the parameter sets, see :func:`~harness.contract.cases.grid`.
    :param make_inputs: ``(rng, **case)`` to the named inputs: NumPy arrays and scalars. Floating arrays named in
        ``cast`` (all of them where ``cast`` is ``None``) are rounded to the dtype of the trial.
    :param reference: the named inputs to a dict of every output in float64 (or exact integers, or the dtype of the
        trial where the suite is ``bitwise``). It is the oracle, never the yardstick of speed, and shares no code with
        an implementation.
    :param phases: the phases of one call in order, each with the outputs it delivers.
    :param baseline: the implementation that the others are compared with.
    :param naive: the implementation whose error is the yardstick for dtypes without a limit of their own.
    :param work: ``(itemsize, **case)`` to the least work of each phase.
    :param edge_cases: small, awkward parameter sets which are checked and never timed.
    :param check_case: maps a case that is too large for the reference to the one that is checked in its place.
    :param measure_errors: ``(outputs, expected, inputs, kind)`` to an error per output, where the relative maximum
        difference is not the right measure; ``kind`` is what the implementation declares.
    :param bitwise: the answer is a matter of bits: the reference is given the inputs in the dtype of the trial, and not
        widened to float64.
    :param refusals: ``(inputs, kind)`` to the classes of error (see :class:`~harness.contract.Raised`) that are an
        answer where the reference has a value; none where it is left out.
    :param dtypes: by device the dtypes that are measured unless a claim asks for others.
    :param axis: the parameter along which growth is shown.
    :param probes: the probes that claims refer to, by name.
    :param several_cpus: implementations start processes or threads of their own by design, whatever number of threads a
        library may use; they are then never kept on one CPU.
    :param bare_workers: every worker is an interpreter started for it alone, without the packages that other suites'
        workers find imported: for costs that depend on what a process has in memory, such as that of a fork.
    :param cost_models: by name, ``(implementation, **case)`` to how often each of the model's constants counts in a
        cost; claims fit the constants.
    :param rounds: at most so many processes per contestant in any profile: where every call starts processes of its
        own, blocks differ as rounds do.
    :param contestant_s: at most so much sampling time per contestant and round in any profile, where a grid of many
        calls that take seconds would take days.
    :param repeats: ``(**case)`` to how often a phase does over what it does within one call; its time is given for one
        of them. For phases that are too short to be told apart from what starting them costs. asv and pytest-benchmark,
        which time whole calls, show it undivided.
    :param call_timeout_s: how long a single call may take before it is a ``timeout``.
    """

    name: str
    title: str
    cases: tuple[Case, ...]
    make_inputs: Callable[..., Inputs]
    reference: Callable[..., Mapping[str, Any]]
    phases: Mapping[str, tuple[Output, ...]]
    baseline: str
    axis: str
    naive: str = ""
    work: Callable[..., Mapping[str, Work]] | None = None
    edge_cases: tuple[Case, ...] = ()
    check_case: Callable[[Mapping[str, Any]], Mapping[str, Any]] | None = None
    measure_errors: ErrorMeasure | None = None
    refusals: Callable[[Inputs, str], Collection[str]] | None = None
    cast: tuple[str, ...] | None = None
    bitwise: bool = False
    dtypes: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: {"cpu": ("float32",), "cuda": ("float32",)})
    claims: tuple[Claim, ...] = ()
    probes: Mapping[str, Probe] = field(default_factory=dict)
    several_cpus: bool = False
    bare_workers: bool = False
    cost_models: Mapping[str, Callable[..., Sequence[float]]] = field(default_factory=dict)
    rounds: int | None = None
    contestant_s: float = math.inf
    repeats: Callable[..., Mapping[str, int]] | None = None
    call_timeout_s: float = 60.0

    def __post_init__(self) -> None:
        if not self.cases:
            raise ValueError(f"suite {self.name!r} has no cases")
        if not any(self.phases.values()):
            raise ValueError(f"suite {self.name!r}: no phase delivers an output, so nothing could be checked")
        for claim in self.claims:
            if not claim.id.startswith(f"{self.name}."):
                raise ValueError(f"claim {claim.id!r} must begin with its suite's name, {self.name!r}.")
        repeated = [claim.id for claim in self.claims if [c.id for c in self.claims].count(claim.id) > 1]
        if repeated:
            raise ValueError(f"suite {self.name!r} has more than one claim {repeated[0]!r}")

    @property
    def parameters(self) -> tuple[str, ...]:
        """The parameter names that every implementation has, which are the reference's."""
        return tuple(inspect.signature(self.reference).parameters)

    @property
    def outputs(self) -> tuple[Output, ...]:
        return tuple(output for outputs in self.phases.values() for output in outputs)

    def cases_of(self, profile: Profile) -> tuple[Case, ...]:
        return tuple(case for case in self.cases if profile == "full" or case.profile == "quick")
