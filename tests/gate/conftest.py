"""Fixtures for gates: the small project in a repository of its own."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gate.repository import Repository, make_repository


@pytest.fixture
def repository(project: Path) -> Repository:
    """The project with an implementation that loops 2000 times, committed once on ``main``."""
    found = make_repository(project, project)
    found.write_amount(2000)
    found.commit("the first")
    return found


@pytest.fixture
def own_imports() -> Iterator[None]:
    """For tests that load sides in this process: what they put into ``sys.path`` is taken out again."""
    before = list(sys.path)
    yield
    sys.path[:] = before
