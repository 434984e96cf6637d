"""What a reader of the figures needs to know of the machine, and nothing that tells who or where it is."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

import harness
from harness.environment_format import ENVIRONMENT_FORMAT
from harness.instruments import InstrumentUnavailable
from harness.instruments.energy import open_sensor
from harness.instruments.nvml import gpu_count, open_gpu
from harness.privacy import this_process
from harness.steering import steering_variables

_PACKAGES = (
    "numpy", "torch", "numba", "scipy", "scikit-learn", "scikit-image", "statsmodels", "pandas", "triton",
    "lightgbm", "xgboost", "xgboost-cpu", "faiss-cpu", "pykdtree", "flash-attn", "nvidia-ml-py",
)  # fmt: skip


def describe_environment(root: Path) -> dict[str, Any]:
    """The machine, its software and the state of the project's repository at this moment.

    Nothing else is stored about a machine: :mod:`harness.environment_format` lists it, and ``bakeoff doctor --json``
    shows it.
    """
    return {
        "format": ENVIRONMENT_FORMAT,
        "bakeoff": harness.__version__,
        "started_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": describe_machine(),
        "gpus": describe_gpus(),
        "packages": installed_versions(),
        "variables": steering_variables(os.environ),
        "git": describe_revision(root),
        "sensors": {device: sensor_state(device) for device in ("cpu", "cuda")},
    }


def describe_machine() -> dict[str, Any]:
    load = os.getloadavg()
    return {
        "cpu": cpu_model(),
        "cpus": usable_cpus(),
        "physical_cpus": psutil.cpu_count(logical=False),
        "architecture": platform.machine(),
        "memory_bytes": psutil.virtual_memory().total,
        "os": _os_name(),
        "kernel": this_process().names(platform.release()),  # whoever builds a kernel may put a name into it
        "python": platform.python_version(),
        "governor": _read("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor") or "not shown",
        "virtual": " hypervisor" in (_read("/proc/cpuinfo") or ""),
        "load_average": [round(value, 2) for value in load],
    }


def describe_gpus() -> list[dict[str, Any]]:
    gpus = []
    for index in range(gpu_count()):
        gpu = open_gpu(index)
        gpus.append({"name": gpu.name, "driver": gpu.driver, "memory_bytes": gpu.memory_bytes})
    return gpus


def installed_versions() -> dict[str, str]:
    versions = {}
    for package in _PACKAGES:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return versions


def describe_revision(root: Path) -> dict[str, Any]:
    """Commit of the project and whether its files differ from it; empty outside a repository."""
    commit = _git(root, "rev-parse", "HEAD")
    if not commit:
        return {}
    return {"commit": commit, "modified": bool(_git(root, "status", "--porcelain", "--untracked-files=no"))}


def sensor_state(device: str) -> dict[str, Any]:
    """Whether energy can be read on ``device``, and why not."""
    try:
        open_sensor(device)
    except InstrumentUnavailable as error:
        return {"available": False, "reason": this_process().text(str(error))}
    return {"available": True, "reason": ""}


def machine_name(environment: Mapping[str, Any]) -> str:
    """A name for the kind of machine: the same for two machines of the same kind."""
    machine = environment["machine"]
    gpus = [gpu["name"] for gpu in environment["gpus"]]
    return "-".join([machine["cpu"], f"{machine['cpus']}cpu", *gpus[:1], *([f"x{len(gpus)}"] if len(gpus) > 1 else [])])


def usable_cpus() -> int:
    """How many CPUs this process may run on."""
    return len(usable_cpu_numbers()) or os.cpu_count() or 1


def usable_cpu_numbers() -> tuple[int, ...]:
    """The CPUs that this process may run on; none where the system does not tell, and so cannot keep it on one."""
    return tuple(sorted(os.sched_getaffinity(0))) if hasattr(os, "sched_getaffinity") else ()


def available_devices() -> tuple[str, ...]:
    return ("cpu", "cuda") if gpu_count() else ("cpu",)


def cpu_model() -> str:
    match = re.search(r"^model name\s*:\s*(.+)$", _read("/proc/cpuinfo") or "", re.MULTILINE)
    return match.group(1).strip() if match else platform.processor() or platform.machine()


def _os_name() -> str:
    match = re.search(r'^PRETTY_NAME="?([^"\n]+)', _read("/etc/os-release") or "", re.MULTILINE)
    return match.group(1) if match else platform.system()


def _read(path: str) -> str | None:
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError:
        return None


def _git(root: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *arguments], capture_output=True, text=True, timeout=10, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
