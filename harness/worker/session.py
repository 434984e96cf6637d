"""The steps of one trial in its worker: prepare, calibrate, sample, verify; or one reading of another instrument."""

from __future__ import annotations

import gc
import importlib
import os
import time
from collections.abc import Callable, Mapping, Set
from contextlib import suppress
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.contract import Implementation, Inputs, Suite
from harness.instruments import InstrumentUnavailable
from harness.instruments.ceilings import measure_ceiling
from harness.instruments.dispatch import measure_dispatch
from harness.instruments.energy import measure_energy, open_sensor
from harness.instruments.foreign_load import ForeignLoad
from harness.instruments.inline_timing import InlineTimer, as_call
from harness.instruments.memory import make_memory_meter
from harness.instruments.nvml import NvmlDevice, torch_gpu_uuid
from harness.instruments.timing import Timer, calibrate, make_timer, warm_up
from harness.seeds import derive_seed
from harness.trials import Trial
from harness.worker.arrays import convert, draw_inputs, hand_over
from harness.worker.calls import call, expression_of, no_lap, phases_until
from harness.worker.checking import check_call
from harness.worker.loading import load_implementation
from harness.worker.orders import Module, Order
from harness.worker.threads import allowed_cpus, has_raised_limits

if TYPE_CHECKING:
    from harness.worker.gpu import GpuWatch

Reply = dict[str, Any]


class Session:
    """One trial. Each public method is a step that the runner asks for by name and answers with plain JSON values."""

    def __init__(self, order: Order) -> None:
        self._order = order
        self._trial = order.trial
        self._implementation: Implementation | None = None
        self._inputs: Inputs | None = None
        self._originals: dict[str, Any] = {}
        self._timer: Timer | None = None
        self._watch: GpuWatch | None = None
        self._iterations, self._part = 1, 1
        self._cpus = allowed_cpus()
        self._timed_on = self._cpus

    @property
    def file(self) -> Path | None:
        """The implementation's own."""
        return Path(self._order.code.path) if self._order.code else None

    def hello(self) -> Reply:
        """Nothing but an answer."""
        return {}

    def prepare(self) -> Reply:
        """Import the implementation and check its answer on fresh inputs; its first call is the check's."""
        load_ns = self._import()
        reply = self._check(self._trial, "before")
        if reply["raised"] and not reply["reason"]:
            raise InstrumentUnavailable(f"its answer is an error ({reply['raised']}), which is not measured")
        return reply | {"setup_ns": {"load": load_ns, "first_call": reply["call_ns"]}}

    def load(self) -> Reply:
        """Import an implementation that another process has found right, and call it once; it is checked afterwards."""
        load_ns = self._import()
        implementation = self._loaded()
        inputs = self._fresh_inputs()
        begin = time.perf_counter_ns()
        call(implementation, inputs, self._phases(implementation), no_lap)
        return {"setup_ns": {"load": load_ns, "first_call": time.perf_counter_ns() - begin}}

    def calibrate(self, cpu: int | None = None, longest_part_ns: float = 0.0) -> Reply:
        """Warm up on the trial's own inputs and choose how many calls make a sample.

        :param cpu: the CPU to stay on from now on.
        :param longest_part_ns: see :func:`harness.instruments.timing.calibrate`.
        """
        if cpu is not None and _keep_on({cpu}):
            self._timed_on = {cpu}
        implementation = self._loaded()
        settings, on_gpu = self._order.settings, self._trial.device == "cuda"
        if on_gpu and implementation.inline:
            implementation = as_call(implementation)
        self.close()  # what an earlier calibration has started
        timer = self._timer = make_timer(implementation, self._trial.device, graph=settings.cuda_graph)
        phases = self._phases(implementation)
        self._fresh_inputs()
        gc.collect()
        gc.freeze()
        warmup = warm_up(timer, self._fresh_inputs, phases, settings.warmup_s)
        overhead_ns = timer.overhead_ns(self._fresh_inputs, phases)
        beside_ns = timer.beside_ns if isinstance(timer, InlineTimer) else 0.0
        calibration = calibrate(warmup, settings.sample_target_ns, overhead_ns, longest_part_ns, beside_ns)
        self._iterations, self._part = calibration.iterations, calibration.part
        besides: dict[str, float] = {"cpu": cpu} if cpu is not None and self._timed_on == {cpu} else {}
        if on_gpu:
            from harness.worker.gpu import GpuWatch, costs_besides

            self._watch = GpuWatch.open()
            besides |= costs_besides(implementation, self._fresh_inputs, phases)
        told = [asdict(warm) | {"values": self._per_repeat(warm.values)} for warm in warmup]
        return {"warmup": told, "calibration": asdict(calibration) | besides}

    def sample(self) -> Reply:
        """One sample of the calibrated number of calls."""
        implementation = self._loaded()
        if self._timer is None:
            raise RuntimeError("sample was asked for before calibrate")
        begin = time.perf_counter()
        phases = self._phases(implementation)
        take = partial(self._timer.sample, self._fresh_inputs, phases, self._iterations, self._part)
        watch = self._watch or (ForeignLoad() if self._suite().several_cpus else None)
        values, readings, flags = watch.around(take) if watch else (take(), {}, ())
        if isinstance(self._timer, InlineTimer):
            readings = {**readings, "loop_ns": self._timer.loop_ns}
        elapsed_s = time.perf_counter() - begin
        counts = {"iterations": self._iterations, "elapsed_s": elapsed_s}
        told = self._per_repeat(values)
        return {"values": told, "readings": readings, "sample_flags": list(flags), **counts}

    def verify(self) -> Reply:
        """Check the answer again, on inputs that the implementation has not seen, and on any CPU."""
        flags = ["threads_changed"] if has_raised_limits(self._trial.threads, self._timed_on) else []
        if self._timed_on != self._cpus:
            _keep_on(self._cpus)
        return self._check(self._trial, "after") | {"flags": flags}

    def check(self, trial: Mapping[str, Any]) -> Reply:
        """Check the answer on another trial's case, dtype and device, with the same implementation."""
        reply = self._check(Trial.from_json(trial), "check")
        return reply | {"flags": [f"raised {reply['raised']}"] if reply["raised"] else []}

    def memory(self) -> Reply:
        """Peak growth over single calls; the check's was the first of the process, whose own costs are not counted."""
        implementation = self._loaded()
        if implementation.inline and expression_of(implementation.function(**self._fresh_inputs())).python:
            raise InstrumentUnavailable("the memory of another interpreter is mostly the interpreter's")
        meter = make_memory_meter(self._trial.device)
        phases = self._phases(implementation)
        readings = [
            meter.measure(partial(call, implementation, self._fresh_inputs(), phases))
            for _ in range(self._order.settings.memory_calls)
        ]
        flags = ["children_sampled"] if meter.saw_children else []
        return {"readings": readings, "flags": flags}

    def energy(self) -> Reply:
        """Joules per call over several windows, with idle power, update rate and sampled power beside them."""
        implementation = self._loaded()
        if implementation.inline:
            raise InstrumentUnavailable("a call of nanoseconds cannot be told from the loop that repeats it")
        sensor = open_sensor(self._trial.device, torch_gpu_uuid() if self._trial.device == "cuda" else "")
        phases = self._phases(implementation)
        call(implementation, self._fresh_inputs(), phases, no_lap)
        self._synchronise()
        reading = measure_energy(
            lambda: self._discard(call(implementation, self._fresh_inputs(), phases, no_lap)),
            self._synchronise,
            sensor,
            self._order.settings.energy_window_s,
            read_state=sensor.state if isinstance(sensor, NvmlDevice) else None,
        )
        flags = ["input_copies_included"] if implementation.mutates else []
        first_s = reading.windows[0].begin_s
        return {
            "windows": [
                {
                    "values": {"total": window.energy_j},
                    "iterations": window.iterations,
                    "flags": list(window.flags),
                    "readings": {"begin_s": window.begin_s - first_s, "duration_s": window.duration_s},
                }
                for window in reading.windows
            ],
            "calibration": dict(reading.calibration),
            "flags": [*flags, *reading.flags],
        }

    def probe(self) -> Reply:
        """What the suite's probe counts or scores."""
        suite = self._suite()
        implementation = self._load(self._order.code) if self._order.code else None
        rng = np.random.default_rng(self._seed("probe"))
        values = suite.probes[self._trial.probe].measure(rng, implementation, **self._trial.case)
        return {"values": {name: [float(value) for value in series] for name, series in values.items()}}

    def ceiling(self) -> Reply:
        """The machine's own best rates for the trial's device, dtype and threads."""
        return asdict(measure_ceiling(self._trial.device, self._trial.dtype, self._trial.threads))

    def dispatch(self) -> Reply:
        """What a call and an operation on one number cost here."""
        return {"costs": measure_dispatch()}

    def close(self) -> None:
        """End what the timer has started."""
        if isinstance(self._timer, InlineTimer):
            self._timer.close()

    def _import(self) -> int:
        """Import the trial's implementation; how many nanoseconds it took."""
        begin = time.perf_counter_ns()
        self._implementation = self._load(self._order.code)
        return time.perf_counter_ns() - begin

    def _check(self, trial: Trial, when: str) -> Reply:
        suite = self._suite()
        check = check_call(
            suite,
            self._load(self._order.code),
            trial.case,
            dtype=trial.dtype,
            device=trial.device,
            seed=derive_seed(trial.seed, trial.suite, trial.case.label, "check", when, trial.round),
            load_naive=lambda: self._load(self._order.naive),
            until=trial.until,
        )
        same_case = dict(check.case) == dict(trial.case)
        return {
            "reason": check.reason,
            "errors": dict(check.errors),
            "limits": dict(check.limits),
            "checked": {} if same_case else dict(check.case),
            "call_ns": check.call_ns,
            "raised": check.raised,
        }

    def _suite(self) -> Suite:
        suite = importlib.import_module(self._order.suite_module).SUITE
        if not isinstance(suite, Suite):
            raise TypeError(f"{self._order.suite_module}.SUITE is no Suite")
        return suite

    def _load(self, code: Module | None) -> Implementation:
        if code is None:
            raise LookupError(
                f"suite {self._trial.suite!r} names no naive implementation to compare low precision with"
            )
        return load_implementation(code.module, Path(code.path), (*self._order.packages, "harness"))

    def _loaded(self) -> Implementation:
        if self._implementation is None:
            raise RuntimeError("measuring was asked for before prepare")
        return self._implementation

    def _fresh_inputs(self) -> Inputs:
        """The trial's inputs, drawn once; those that the implementation writes into as new copies."""
        implementation, suite, trial = self._loaded(), self._suite(), self._trial
        if self._inputs is None:
            drawn = draw_inputs(suite, trial.case, trial.dtype, self._seed("inputs", trial.round))
            self._inputs = hand_over(suite, drawn, implementation.arrays, trial.device, trial.dtype)
            self._originals = {name: drawn[name] for name in implementation.mutates}
        if not self._originals:
            return self._inputs
        copies: Mapping[str, Any] = {
            name: convert(suite, name, value, implementation.arrays, trial.device, trial.dtype)
            for name, value in self._originals.items()
        }
        return {**self._inputs, **copies}

    def _phases(self, implementation: Implementation) -> tuple[str, ...]:
        return phases_until(implementation, self._trial.until)

    def _per_repeat(self, values: Mapping[str, float]) -> Mapping[str, float]:
        """Times by phase, divided by how often the suite says that a phase does over what it does."""
        suite = self._suite()
        repeats = suite.repeats(**self._trial.case) if suite.repeats else {}
        return {phase: value / repeats.get(phase, 1) for phase, value in values.items()}

    def _seed(self, *purpose: object) -> int:
        """The same for all contestants of a case, so that they get the same inputs."""
        return derive_seed(self._trial.seed, self._trial.suite, self._trial.case.label, *purpose)

    def _synchronise(self) -> None:
        if self._trial.device == "cuda":
            import torch

            torch.cuda.synchronize()

    @staticmethod
    def _discard(_: object) -> None:
        return None


def _keep_on(cpus: Set[int]) -> bool:
    """Keep all threads of this process on ``cpus``; whether the system can."""
    if not hasattr(os, "sched_setaffinity"):
        return False
    for thread in Path("/proc/self/task").iterdir():
        with suppress(ProcessLookupError):
            os.sched_setaffinity(int(thread.name), cpus)
    return True


STEPS: Mapping[str, Callable[..., Reply]] = {
    step.__name__: step
    for step in (
        Session.hello,
        Session.prepare,
        Session.load,
        Session.calibrate,
        Session.sample,
        Session.verify,
        Session.check,
        Session.memory,
        Session.energy,
        Session.probe,
        Session.ceiling,
        Session.dispatch,
    )
}
