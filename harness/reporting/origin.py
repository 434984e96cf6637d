"""Where the figures come from: the machine, the software, how each figure was taken and the command that repeats it."""

from __future__ import annotations

import shlex
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from harness.records import FORMAT, Record
from harness.reporting import text
from harness.statistics.estimates import FEWEST_ROUNDS
from harness.steering import STEERING_VARIABLES

_BUSY_SHARE = 0.25


@dataclass(frozen=True)
class Ceiling:
    """What the machine reached at best, per device, dtype and number of threads."""

    setting: str
    arithmetic: str
    traffic: str


@dataclass(frozen=True)
class Origin:
    """The machine and the way back to the same figures.

    :param line: the machine in one line.
    :param command: what repeats the run.
    """

    name: str
    started: str
    profile: str
    seed: str
    line: str
    machine: tuple[tuple[str, str], ...]
    packages: tuple[tuple[str, str], ...]
    ceilings: tuple[Ceiling, ...]
    command: str
    revision: str
    version: str
    blocks: str
    fewest_rounds: int


def describe_origin(name: str, environment: Mapping[str, Any], records: Sequence[Record]) -> Origin:
    machine = environment.get("machine", {})
    return Origin(
        name=name,
        started=_date(str(environment.get("started_at", ""))),
        profile=str(environment.get("profile", "")) or text.DASH,
        seed=str(environment.get("seed", text.DASH)),
        line=_line(machine, environment),
        machine=tuple((label, value) for label, value in _machine(machine, environment, records) if value),
        packages=tuple(sorted((str(key), str(value)) for key, value in environment.get("packages", {}).items())),
        ceilings=tuple(_ceiling(ceiling) for ceiling in environment.get("ceilings", [])),
        command=reproduce(environment),
        revision=_revision(environment.get("git", {})),
        version=f"bakeoff {environment.get('bakeoff', text.DASH)}, environment format "
        f"{environment.get('format', text.DASH)}, records read as format {FORMAT}",
        blocks=_blocks(records),
        fewest_rounds=FEWEST_ROUNDS,
    )


def reproduce(environment: Mapping[str, Any]) -> str:
    """The command line that measures the same again, in the same order and on the same inputs."""
    request = environment.get("request", {})
    words = ["bakeoff", "run", *request.get("selection", [])]
    for option, key in (("--seed", "seed"), ("--profile", "profile")):
        if key in environment:
            words += [option, str(environment[key])]
    if request.get("device"):
        words += ["--device", request["device"]]
    for option, key in (("--where", "where"), ("--instrument", "instruments")):
        for value in request.get(key, []):
            words += [option, value]
    for option, key in (("--precision", "precision_percent"), ("--rounds", "rounds")):
        if request.get(key) is not None:
            words += [option, request[key]]
    words += ["--cuda-graph"] if request.get("cuda_graph") else []
    words += ["--claims-only"] if request.get("claims_only") else []
    words += [] if request.get("pin", True) else ["--no-pin"]
    return shlex.join(map(str, words))


def _date(stamp: str) -> str:
    try:
        return f"{datetime.fromisoformat(stamp):%d %B %Y, %H:%M %Z}".strip(", ").lstrip("0")
    except ValueError:
        return stamp or "date not recorded"


def _line(machine: Mapping[str, Any], environment: Mapping[str, Any]) -> str:
    parts = [
        str(machine.get("cpu", "CPU not recorded")),
        text.count(int(machine["cpus"]), "CPU") if "cpus" in machine else "",
        text.quantity(float(machine["memory_bytes"]), "bytes") if "memory_bytes" in machine else "",
        ", ".join(str(gpu.get("name", "GPU")) for gpu in environment.get("gpus", [])) or "no GPU",
    ]
    return ", ".join(filter(None, parts))


def _machine(
    machine: Mapping[str, Any], environment: Mapping[str, Any], records: Sequence[Record]
) -> Iterator[tuple[str, str]]:
    yield "CPU", _cpu(machine)
    yield "Memory", text.quantity(float(machine["memory_bytes"]), "bytes") if "memory_bytes" in machine else ""
    for gpu in environment.get("gpus", []):
        memory = text.quantity(float(gpu.get("memory_bytes", "nan")), "bytes")
        yield "GPU", f"{gpu.get('name', '')}, {memory}, driver {gpu.get('driver', text.DASH)}"
    yield "Operating system", " · kernel ".join(filter(None, (machine.get("os", ""), machine.get("kernel", ""))))
    yield "Virtual machine", {True: "yes", False: "no"}.get(machine.get("virtual", ""), "")
    yield "Python", str(machine.get("python", ""))
    yield "Frequency governor", str(machine.get("governor", ""))
    yield "Load at the start", _load(machine)
    yield "Variables that steer libraries", _variables(environment.get("variables", {}))
    yield "Clock", _clock(records)


def _cpu(machine: Mapping[str, Any]) -> str:
    parts = [str(machine.get("cpu", "")), str(machine.get("architecture", ""))]
    if "cpus" in machine:
        parts.append(f"{text.count(int(machine['cpus']), 'CPU')} usable")
    if machine.get("physical_cpus"):
        parts.append(text.count(int(machine["physical_cpus"]), "physical core"))
    return ", ".join(filter(None, parts))


def _variables(variables: Mapping[str, str]) -> str:
    return "; ".join(f"{name}={value} ({STEERING_VARIABLES.get(name, text.DASH)})" for name, value in variables.items())


def _load(machine: Mapping[str, Any]) -> str:
    load = machine.get("load_average", [])
    if not load:
        return ""
    averages = " / ".join(f"{value:g}" for value in load)
    busy = load[0] > _BUSY_SHARE * int(machine.get("cpus", 1))
    return f"{averages} over 1, 5 and 15 minutes" + ("; something else was running" if busy else "")


def _clock(records: Sequence[Record]) -> str:
    steps = [
        record.calibration["clock_resolution_ns"] for record in records if "clock_resolution_ns" in record.calibration
    ]
    loops = [record.calibration["loop_overhead_ns"] for record in records if "loop_overhead_ns" in record.calibration]
    if not steps:
        return ""
    overhead = f", {text.quantity(statistics.median(loops), 'ns')} for an empty call" if loops else ""
    return f"monotonic, steps of {text.quantity(statistics.median(steps), 'ns')}{overhead} (medians over the trials)"


def _ceiling(ceiling: Mapping[str, Any]) -> Ceiling:
    threads = int(ceiling.get("threads", 1))
    return Ceiling(
        setting=f"{ceiling.get('dtype', '')}, {ceiling.get('device', '')}, {text.count(threads, 'thread')}",
        arithmetic=f"{text.number(float(ceiling.get('matmul_flops_per_s', 'nan')) / 1e9)} GFLOP/s",
        traffic=f"{text.number(float(ceiling.get('copy_bytes_per_s', 'nan')) / 1e9)} GB/s",
    )


def _revision(git: Mapping[str, Any]) -> str:
    if not git.get("commit"):
        return ""
    return f"{git['commit']}{', with local changes' if git.get('modified') else ''}"


def _blocks(records: Sequence[Record]) -> str:
    """How many rounds and samples the times of this run rest on."""
    timed = [record for record in records if record.trial.instrument == "time" and record.status == "ok"]
    if not timed:
        return ""
    rounds = 1 + max(record.trial.round for record in timed)
    samples = sorted(len(record.measured) for record in timed)
    span = f"{samples[0]}" if samples[0] == samples[-1] else f"{samples[0]} to {samples[-1]}"
    return f"{text.count(rounds, 'process', 'processes')} per contestant and workload, {span} samples in each"
