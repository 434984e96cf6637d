"""Is the answer right? Outputs against the suite's float64 reference, on fresh random inputs."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from harness.contract import Arrays, Implementation, Inputs, Output, Raised, Suite
from harness.worker.arrays import EPSILON, draw_inputs, for_reference, hand_over, take_back
from harness.worker.calls import ContractError, call, no_lap, phases_until

LoadNaive = Callable[[], Implementation]


@dataclass(frozen=True)
class Check:
    """The outcome of one check.

    :param reason: what is wrong; empty when the answer is right.
    :param errors: by output the error against the reference.
    :param limits: by output the largest error allowed.
    :param case: the parameters that were checked.
    :param call_ns: how long the call took; the first one of a process compiles where the implementation does.
    :param raised: the class of error that was the answer; empty when that was a value.
    """

    reason: str = ""
    errors: Mapping[str, float] = field(default_factory=dict)
    limits: Mapping[str, float] = field(default_factory=dict)
    case: Mapping[str, Any] = field(default_factory=dict)
    call_ns: int = 0
    raised: str = ""

    @property
    def right(self) -> bool:
        return not self.reason


def check_call(
    suite: Suite,
    implementation: Implementation,
    case: Mapping[str, Any],
    *,
    dtype: str,
    device: str,
    seed: int,
    load_naive: LoadNaive,
    until: str = "",
) -> Check:
    """Draw inputs for ``seed``, run the implementation once and compare with the reference.

    A case that the suite calls too large for its reference is checked on the one it names instead; the case that was
    checked is part of the outcome. With ``until`` the call ends there, unless it has no output by then.
    """
    checked = dict(suite.check_case(case)) if suite.check_case else dict(case)
    inputs = draw_inputs(suite, checked, dtype, seed)
    answer = suite.reference(**for_reference(suite, inputs))
    must_raise = _raised(answer)
    expected = {} if must_raise else {name: np.asarray(value) for name, value in answer.items()}
    phases = phases_until(implementation, until)
    if not any(suite.phases[phase] for phase in phases):
        phases = implementation.phase_names  # nothing to judge by yet
    wanted = [output for phase in phases for output in suite.phases[phase]]
    handed = hand_over(suite, inputs, implementation.arrays, device, dtype)
    _poison(expected)
    begin = time.perf_counter_ns()
    try:
        delivered = call(implementation, handed, phases, no_lap)
        call_ns = time.perf_counter_ns() - begin
        raised = _raised(delivered)
        outputs = {} if raised else collect(suite, delivered)
    except ContractError as error:
        return Check(reason=str(error), case=checked)
    if raised or must_raise:
        reason = _written_inputs(implementation, inputs, handed)
        reason = reason or _refusal(suite, implementation, inputs, raised, must_raise)
        return Check(reason, case=checked, call_ns=call_ns, raised=raised)
    reason = _written_inputs(implementation, inputs, handed) or _form(wanted, outputs, expected, dtype)
    if reason:
        return Check(reason=reason, case=checked)
    arrays = {output.name: outputs[output.name][0] for output in wanted}
    errors = measure_errors(suite, arrays, expected, inputs, implementation.kind)
    limits = _limits(suite, implementation, wanted, expected, inputs, dtype, device, load_naive)
    for name, found in errors.items():
        if not found <= limits[name]:
            return Check(f"{name} is off by {found:.3g}, allowed is {limits[name]:.3g}", errors, limits, checked)
    return Check("", errors, limits, checked, call_ns)


def collect(suite: Suite, delivered: Mapping[str, Any]) -> dict[str, tuple[np.ndarray, str]]:
    """What the phases delivered, as arrays with their dtypes by output name.

    :raises ContractError: a phase delivers another number of outputs than the suite says.
    """
    outputs: dict[str, tuple[np.ndarray, str]] = {}
    for phase, value in delivered.items():
        names = [output.name for output in suite.phases[phase]]
        if not names:
            continue
        values = (value,) if len(names) == 1 and not isinstance(value, tuple) else value
        if not isinstance(values, tuple) or len(values) != len(names):
            found = f"{len(values)} values" if isinstance(values, tuple) else type(values).__name__
            raise ContractError(f"phase {phase!r} must deliver ({', '.join(names)}), not {found}")
        for name, item in zip(names, values, strict=True):
            try:
                outputs[name] = take_back(item)
            except (TypeError, ValueError) as error:
                raise ContractError(f"{name} is no array: {error}") from error
    return outputs


def measure_errors(suite: Suite, outputs: Arrays, expected: Arrays, inputs: Inputs, kind: str) -> dict[str, float]:
    """The error of each output, by the suite's own measure or else relative to the reference."""
    if suite.measure_errors is None:
        return {name: relative_error(output, expected[name]) for name, output in outputs.items()}
    errors = dict(suite.measure_errors(outputs, expected, inputs, kind))
    return {name: float(errors[name]) for name in outputs if name in errors}


def relative_error(output: np.ndarray, expected: np.ndarray) -> float:
    """Largest absolute difference over largest absolute finite value of ``expected``.

    Infinities must be where the reference has them; a NaN anywhere else is an infinite error.
    """
    if expected.size == 0:
        return 0.0
    wide, reference = output.astype(np.float64), expected.astype(np.float64)
    finite = np.isfinite(reference)
    both_nan = np.isnan(wide) & np.isnan(reference)
    if np.any(~finite & (wide != reference) & ~both_nan) or not np.all(np.isfinite(wide[finite])):
        return math.inf
    if not finite.any():
        return 0.0
    difference = float(np.max(np.abs(wide[finite] - reference[finite])))
    scale = float(np.max(np.abs(reference[finite])))
    return difference / scale if scale > 0 else difference


def _raised(delivered: Mapping[str, Any]) -> str:
    """The class of error among what the phases, or the reference, delivered."""
    return next((value.kind for value in delivered.values() if isinstance(value, Raised)), "")


def _refusal(suite: Suite, implementation: Implementation, inputs: Inputs, raised: str, must_raise: str) -> str:
    """What is wrong with an answer that is an error, or should be one."""
    if must_raise:
        return "" if raised == must_raise else f"answers with {raised or 'a value'} where {must_raise} has to be raised"
    allowed = suite.refusals(inputs, implementation.kind) if suite.refusals else ()
    return "" if raised in allowed else f"raises {raised} where a value is expected"


def _form(wanted: list[Output], outputs: Mapping[str, tuple[np.ndarray, str]], expected: Arrays, dtype: str) -> str:
    for output in wanted:
        array, found = outputs[output.name]
        reference = expected[output.name]
        if array.shape != reference.shape:
            return f"{output.name} has shape {array.shape}, expected {reference.shape}"
        if not (np.issubdtype(array.dtype, np.number) or array.dtype == np.bool_):
            return f"{output.name} holds {array.dtype}, not numbers"
        needed = output.expected_dtype(dtype)
        if found != needed and found != "python":
            return f"{output.name} has dtype {found}, expected {needed}"
        if np.issubdtype(np.dtype(reference.dtype), np.floating) and np.any(np.isnan(array) & ~np.isnan(reference)):
            return f"{output.name} holds NaN"
    return ""


def _written_inputs(implementation: Implementation, inputs: Inputs, handed: Inputs) -> str:
    for name, value in inputs.items():
        if not isinstance(value, np.ndarray) or name in implementation.mutates:
            continue
        after, _ = take_back(handed[name])
        if value.size == 0 and after.size == 0:  # an empty list keeps no second dimension
            continue
        # Comparing NaN with NaN copies both arrays, so they are compared without at first.
        if not (np.array_equal(after, value) or np.array_equal(after, value, equal_nan=value.dtype.kind == "f")):
            return f"writes into its input {name}; declare mutates=({name!r},) to be given a fresh copy each time"
    return ""


def _limits(
    suite: Suite,
    implementation: Implementation,
    wanted: list[Output],
    expected: Arrays,
    inputs: Inputs,
    dtype: str,
    device: str,
    load_naive: LoadNaive,
) -> dict[str, float]:
    """The allowed error of each output.

    Where the suite sets none for the dtype, it is a multiple of the naive version's own error, never below two units of
    rounding (naive may be exact by luck) and never above half the digits of the dtype, to which the naive version
    itself is held.
    """
    limits = {output.name: output.tolerance.limits.get(dtype, output.tolerance.limits.get("*")) for output in wanted}
    if any(limit is None for limit in limits.values()):
        epsilon = EPSILON[dtype]
        naive = load_naive()
        phases = naive.phase_names
        handed = hand_over(suite, inputs, naive.arrays, device, dtype)
        outputs = collect(suite, call(naive, handed, phases, no_lap))
        arrays = {name: array for name, (array, _) in outputs.items()}
        errors = measure_errors(suite, arrays, expected, inputs, naive.kind)
        itself = naive.function is implementation.function
        for output in wanted:
            if limits[output.name] is None:
                own = output.tolerance.naive_factor * errors[output.name]
                cap = math.sqrt(epsilon)
                limits[output.name] = cap if itself else min(max(own, 2 * epsilon), cap)
    return {name: float(limit) for name, limit in limits.items() if limit is not None}


def _poison(expected: Arrays) -> None:
    """Leave NaN in freed memory of the outputs' sizes, so that an output that is never written shows."""
    for array in expected.values():
        np.full(array.shape, np.nan)
