"""Fixtures for runs with contestants that misbehave."""

from __future__ import annotations

import multiprocessing.util
import tempfile
from collections.abc import Iterator
from multiprocessing import resource_tracker
from pathlib import Path

import pytest

from tests.runner.leftovers import Traces, differences


@pytest.fixture
def nothing_left(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Afterwards there must be no process, thread, file, descriptor or changed setting more than before.

    Temporary files go to a folder of the test's own, so that what others do at the same time is not seen.
    """
    multiprocessing.util.get_temp_dir()  # both are made once and live as long as this process
    resource_tracker.ensure_running()
    folder = tmp_path_factory.mktemp("t")
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    before = Traces.now()
    yield folder
    assert differences(before) == {}
