"""``bakeoff doctor``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.cli.selecting import open_project
from harness.environment import describe_environment
from harness.instruments import InstrumentUnavailable
from harness.instruments.memory import HostMemoryMeter
from harness.instruments.noise import NoiseFloor, measure_noise_floor
from harness.instruments.timing import clock_resolution_ns, loop_overhead_ns


def run_doctor(project: Path, as_json: bool) -> None:
    """Describe the machine, its sensors and its noise, and say what to do about what is wrong."""
    found = examine(open_project(project).root)
    if as_json:
        print(json.dumps(found, indent=1))
        return
    machine = found["machine"]
    print(f"machine   {machine['cpu']}, {machine['cpus']} usable CPUs, {machine['memory_bytes'] / 2**30:.1f} GiB")
    print(f"system    {machine['os']}, kernel {machine['kernel']}, Python {machine['python']}")
    print(f"GPUs      {', '.join(gpu['name'] for gpu in found['gpus']) or 'none'}")
    clock = found["clock"]
    print(
        f"clock     resolution {clock['resolution_ns']:.0f} ns, timing loop {clock['loop_overhead_ns']:.0f} ns a call"
    )
    noise = found["noise"]
    print(
        f"noise     two runs of the same work differ by {noise['median_difference']:.1%} in the median pair, "
        f"by {noise['p95_difference']:.1%} in one of twenty"
    )
    print(f"memory    {found['memory_meter'] or 'peak growth can be read'}")
    for device, sensor in found["sensors"].items():
        print(f"energy    {device}: {'readable' if sensor['available'] else sensor['reason']}")
    for advice in found["advice"]:
        print(f"advice    {advice}")


def examine(root: Path) -> dict[str, Any]:
    environment = describe_environment(root)
    noise = measure_noise_floor()
    return environment | {
        "clock": {"resolution_ns": clock_resolution_ns(), "loop_overhead_ns": loop_overhead_ns()},
        "noise": vars(noise),
        "memory_meter": _memory_obstacle(),
        "advice": _advice(environment, noise),
    }


def _memory_obstacle() -> str:
    try:
        HostMemoryMeter()
    except InstrumentUnavailable as error:
        return str(error)
    return ""


def _advice(environment: Mapping[str, Any], noise: NoiseFloor) -> list[str]:
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
    if noise.p95_difference > 0.1:
        advice.append("the same work differs by more than 10 % at times; use --profile full, which measures for longer")
    return advice
