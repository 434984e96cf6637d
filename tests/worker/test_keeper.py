"""What a keeper need not kill: the rest of its work is done with real workers, in tests/runner."""

from __future__ import annotations

import subprocess
import sys

import psutil

from harness.worker.keeper import ends_by_itself

_WAITS = "held = bytearray(64 << 20)\nimport sys\nprint(flush=True)\nsys.stdin.read()"


def test_a_process_needs_killing_until_it_is_on_its_way_out() -> None:
    """Between giving up its memory and being a zombie it has no command line, for as long as that takes."""
    assert any(_answers_while_it_ends()[-1] for _ in range(20))


def test_a_resource_tracker_needs_no_killing() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()", "resource_tracker"], stdin=subprocess.PIPE) as process:
        assert ends_by_itself(psutil.Process(process.pid))


def _answers_while_it_ends() -> list[bool]:
    with subprocess.Popen([sys.executable, "-c", _WAITS], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin
        assert process.stdout
        process.stdout.readline()
        watched = psutil.Process(process.pid)
        answers = [ends_by_itself(watched)]
        assert answers == [False]
        process.stdin.close()
        try:
            while not answers[-1]:
                answers.append(ends_by_itself(watched))
        except psutil.Error:
            pass
    return answers
