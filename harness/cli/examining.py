"""``bakeoff doctor``."""

from __future__ import annotations

import json
import secrets
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from harness.cli.selecting import open_project
from harness.environment import describe_environment
from harness.instruments import InstrumentUnavailable
from harness.instruments.memory import HostMemoryMeter
from harness.instruments.timing import clock_resolution_ns
from harness.known.machine import ROUNDS, Machine, measure_machine
from harness.steering import STEERING_VARIABLES

# A difference below it is within the noise of most machines; above it comparisons need many processes.
NOISY = 0.05
SLOW_START_MS = 50.0


def run_doctor(project: Path, as_json: bool) -> None:
    """Describe the machine, its sensors, its noise and its ceilings, and say what to do about what is wrong."""
    found = examine(open_project(project).root, _say)
    if as_json:
        print(json.dumps(found, indent=1))
        return
    machine = found["machine"]
    print(f"machine   {machine['cpu']}, {machine['cpus']} usable CPUs, {machine['memory_bytes'] / 2**30:.1f} GiB")
    print(f"system    {machine['os']}, kernel {machine['kernel']}, Python {machine['python']}")
    print(f"GPUs      {', '.join(gpu['name'] for gpu in found['gpus']) or 'none'}")
    clock = found["clock"]
    print(f"clock     resolution {clock['resolution_ns']:.0f} ns")
    calls = ", ".join(
        f"{name.removesuffix('_ns').replace('_', ' ')} {ns:.0f} ns" for name, ns in found["dispatch_ns"].items()
    )
    print(f"calls     {calls}")
    print(
        f"processes a worker answers {found['worker_start_ms']:.0f} ms after it was asked for, "
        f"a Python that does nothing takes {found['interpreter_start_ms']:.0f} ms"
    )
    for noise in found["noise"]:
        print(
            f"noise     {noise['kind']:<10} twice the same: ratio {noise['ratio']:.3f} +- {noise['half_width']:.1%}; "
            f"one of twenty neighbouring samples differs by over {noise['block_p95']:.1%}"
        )
    for ceiling in found["ceilings"]:
        print(
            f"ceiling   {ceiling['dtype']:<8} {ceiling['threads']} thread(s): "
            f"{ceiling['matmul_flops_per_s'] / 1e9:.1f} GFLOP/s, copy {ceiling['copy_bytes_per_s'] / 1e9:.1f} GB/s"
        )
    print(f"memory    {found['memory_meter'] or 'peak growth can be read'}")
    for device, sensor in found["sensors"].items():
        print(f"energy    {device}: {'readable' if sensor['available'] else sensor['reason']}")
    for advice in found["advice"]:
        print(f"advice    {advice}")


def examine(root: Path, on_step: Callable[[str], None]) -> dict[str, Any]:
    environment = describe_environment(root)
    measured = measure_machine(secrets.randbits(32), on_step)
    return environment | {
        "clock": {"resolution_ns": clock_resolution_ns()},
        **asdict(measured),
        "memory_meter": _memory_obstacle(),
        "advice": _advice(environment, measured),
    }


def _say(step: str) -> None:
    print(f"measuring: {step} ...", file=sys.stderr, flush=True)


def _memory_obstacle() -> str:
    try:
        HostMemoryMeter()
    except InstrumentUnavailable as error:
        return str(error)
    return ""


def _advice(environment: Mapping[str, Any], measured: Machine) -> list[str]:
    machine = environment["machine"]
    advice = []
    if machine["governor"] not in ("performance", "not shown"):
        advice.append(f"CPU frequency governor is {machine['governor']}; set it: cpupower frequency-set -g performance")
    if machine["load_average"][0] > 0.5 * machine["cpus"]:
        advice.append(f"load average is {machine['load_average'][0]}; end other programs before measuring")
    if machine["virtual"]:
        advice.append(
            "this is a virtual machine, whose CPUs other guests slow down unseen; trust ratios measured in one run, "
            "not single times"
        )
    for name, value in environment["variables"].items():
        advice.append(
            f"{name}={value} is set in the environment and decides {STEERING_VARIABLES[name]}; unset it, "
            "unless that is what you want to measure"
        )
    if machine["cpus"] == 1:
        advice.append("only one CPU may be used; what is timed shares it with this program and the rest of the system")
    widest = max((noise.half_width for noise in measured.noise), default=0.0)
    if widest > NOISY:
        advice.append(
            f"after {ROUNDS} processes the same work is known to +- {widest:.0%} only; end other programs, or ask "
            "for more processes: --rounds 20"
        )
    if measured.worker_start_ms > SLOW_START_MS:
        advice.append(
            f"a worker takes {measured.worker_start_ms:.0f} ms to start; list the packages that implementations import "
            "under preload in [tool.bakeoff]"
        )
    return advice
