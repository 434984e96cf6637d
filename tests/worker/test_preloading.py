"""What the fork server does before there are workers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from harness.config import find_project
from harness.worker.preloading import PRELOAD

ROOT = Path(__file__).parents[2]

LOOK = """
import gc, json, os, sys
import harness.worker.preloading
loaded = [name for name in ("wave", "nowhere", "smtplib") if name in sys.modules]
print(json.dumps([loaded, gc.isenabled(), gc.get_freeze_count() > 1000, os.environ.get("BAKEOFF_PRELOAD")]))
"""


def look(**variables: str) -> list[object]:
    found = subprocess.run(
        [sys.executable, "-c", LOOK], env={**os.environ, **variables}, capture_output=True, text=True, check=True
    )
    answer: list[object] = json.loads(found.stdout)
    return answer


def test_what_is_there_is_imported_and_frozen_with_the_collector_running_again() -> None:
    assert look(**{PRELOAD: json.dumps(["wave", "nowhere", "smtplib"])}) == [["wave", "smtplib"], True, True, None]


def test_without_being_told_nothing_is_imported() -> None:
    assert look() == [[], True, False, None]


def test_numba_is_ready_to_compile_without_having_to_build_its_tables() -> None:
    count = """
import sys
import harness.worker.preloading
from numba.core.registry import cpu_target
before = len(cpu_target.typing_context._functions)
cpu_target.typing_context.refresh()
print(before > 50, len(cpu_target.typing_context._functions) == before)
"""
    told = {**os.environ, PRELOAD: json.dumps(["numba"])}
    found = subprocess.run([sys.executable, "-c", count], env=told, capture_output=True, text=True, check=True)
    assert found.stdout.split() == ["True", "True"]


def test_nothing_that_this_project_preloads_asks_cuda() -> None:
    """A process that has counted its GPUs by way of CUDA leaves forks that cannot use any."""
    count = """
import os, torch
asked = []
for name in ("is_available", "device_count", "init", "current_device"):
    setattr(torch.cuda, name, lambda *_, _name=name, **__: asked.append(_name) or 0)
import harness.worker.preloading
import torch._dynamo, torch.distributed.fsdp
print(asked)
torch.cuda.is_available()
print(asked)
"""
    told = {**os.environ, PRELOAD: json.dumps(find_project(ROOT).preload)}
    found = subprocess.run([sys.executable, "-c", count], env=told, capture_output=True, text=True, check=True)
    assert found.stdout.split("\n") == ["[]", "['is_available']", ""]
