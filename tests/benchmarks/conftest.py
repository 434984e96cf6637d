"""Collects the suites' contestants only where pytest-benchmark is asked for nothing but benchmarks."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.adapters.contestants import contestants
from harness.config import find_project
from harness.discovery import load_catalogue


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    if collection_path.name == "test_suites.py" and not config.getoption("--benchmark-only", default=False):
        return True
    return None


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "contestant" in metafunc.fixturenames:
        found = list(contestants(load_catalogue(find_project(Path(__file__).parent))))
        metafunc.parametrize("contestant", found, ids=[contestant.label for contestant in found])
