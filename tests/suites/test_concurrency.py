"""Processes and threads: worked answers, what the probes see, other interpreters, and memory that is really held."""

from __future__ import annotations

import hashlib
import importlib
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.contract import Implementation, Unavailable
from impls.building_blocks.concurrency.interpreters import find, run_in
from impls.building_blocks.concurrency.pieces import pieces_of, shares_of
from suites.concurrency.ballast import Ballast
from suites.concurrency.job import Job
from suites.concurrency.probes import switches, visibility
from suites.concurrency.suite import SUITE, make_inputs

NOTHING = np.empty(0)
NO_BALLAST = Ballast(0)


def load(name: str) -> Implementation:
    """The registered implementation in ``impls/concurrency/NAME.py``."""
    implementation = importlib.import_module(f"impls.concurrency.{name}").run
    assert isinstance(implementation, Implementation)
    return implementation


def draw(**case: Any) -> dict[str, Any]:
    return make_inputs(np.random.default_rng(3), **case)


def answer(task: Any, size: int, seeds: list[int], data: np.ndarray = NOTHING) -> list[int]:
    job = Job(task, 1, len(seeds), size)
    checksums: np.ndarray = SUITE.reference(data, np.array(seeds), job, NO_BALLAST)["checksums"]
    return checksums.tolist()


class TestReference:
    def test_two_steps_of_the_generator(self) -> None:
        one = (1_103_515_245 * 7 + 12_345) % 2**31
        assert answer("python", 2, [7]) == [(1_103_515_245 * one + 12_345) % 2**31]
        assert answer("python", 0, [7]) == [7]

    def test_pure_python_tasks_by_hand(self) -> None:
        """Keys 5, 12, 19 with 0, 1, 2; x: 10, 20, 33 while y: 10, 13, 16; and 4 + 0 + 1 + 2."""
        assert answer("dict", 3, [5]) == [12 * 1 + 19 * 2]
        assert answer("attributes", 2, [10]) == [33 ^ 16]
        assert answer("calls", 3, [4]) == [7]

    def test_pieces_are_cut_where_the_job_says(self) -> None:
        """Ten numbers in three pieces: 0 to 2, 3 to 5, 6 to 9."""
        assert answer("sum", 10, [0] * 3, np.arange(10.0)) == [3, 12, 30]

    def test_the_digest_of_abc(self) -> None:
        content = np.frombuffer(b"abc", dtype=np.uint8)
        assert answer("sha256", 3, [0], content) == [int.from_bytes(hashlib.sha256(b"abc").digest()[:6], "big")]
        assert hashlib.sha256(b"abc").hexdigest().startswith("ba7816bf8f01")

    def test_a_single_point_is_spread_by_one_two_one(self) -> None:
        """Squares of 1 2 1, 2 4 2 and 1 2 1; beyond the edge nothing counts."""
        image = np.zeros((3, 3), dtype=np.uint8)
        image[1, 1] = 1
        assert answer("filter", 3, [0] * 3, image) == [6, 24, 6]
        corner = np.zeros((1, 2), dtype=np.uint8)
        corner[0, 0] = 3
        assert answer("filter", 1, [0], corner) == [12**2 + 6**2]

    def test_waiting_ping_pong_and_pages(self) -> None:
        assert answer("wait", 90, [0] * 3) == [1, 2, 3]
        assert answer("ping_pong", 3, [254]) == [254 + 255 + 0]
        assert answer("transfer", 8 * 1025, [0], np.arange(1025.0)) == [0 + 512 + 1024]

    @settings(max_examples=25)
    @given(st.integers(0, 2**31 - 1), st.integers(0, 300), st.sampled_from(["python", "dict", "attributes", "calls"]))
    def test_closed_forms_are_what_the_loops_compute(self, seed: int, steps: int, task: Any) -> None:
        ((function, arguments),) = pieces_of(Job(task, 1, 1, steps), NOTHING, np.array([seed]))
        assert [function(*arguments)] == answer(task, steps, [seed])


class TestPieces:
    def test_every_piece_is_in_one_share(self) -> None:
        pieces = pieces_of(Job("wait", 5, 12, 100), NOTHING, np.zeros(12))
        shares = shares_of(pieces, 5)
        assert sorted(number for share in shares for _, (number, _) in share) == list(range(1, 13))
        assert [len(share) for share in shares] == [3, 3, 2, 2, 2]

    @pytest.mark.parametrize("name", ["serial", "threads"])
    def test_pieces_of_nothing_and_of_one_byte(self, name: str) -> None:
        inputs = draw(task="sha256", n=7, workers=2)
        _, checksums, _ = load(name).function(**inputs)
        assert checksums.tolist() == SUITE.reference(**inputs)["checksums"].tolist()

    @pytest.mark.parametrize("name", ["threads", "fork", "thread_pool", "process_pool_reused"])
    def test_workers_without_a_piece_do_no_harm(self, name: str) -> None:
        job = Job("python", 3, 1, 50)
        seeds = np.array([9])
        _, checksums, *_ = load(name).function(NOTHING, seeds, job, NO_BALLAST)
        assert checksums.tolist() == answer("python", 50, [9])


class TestVisibility:
    PLACES = ("list", "array", "attribute", "shared_memory", "mmap")

    def seen(self, implementation: Any) -> dict[str, set[float]]:
        found = visibility(np.random.default_rng(0), implementation)
        return {name: set(values) for name, values in found.items()}

    def all(self, places: tuple[str, ...], value: float) -> dict[str, set[float]]:
        return {name: {value} for name in places}

    def test_a_thread_writes_to_its_process(self) -> None:
        assert self.seen(load("threads")) == {**self.all(self.PLACES, 1.0), "own_process": {0.0}}

    @pytest.mark.parametrize("name", ["fork", "spawn"])
    def test_a_process_writes_to_its_own_memory_and_to_what_is_shared(self, name: str) -> None:
        own, shared = self.all(self.PLACES[:3], 0.0), self.all(self.PLACES[3:], 1.0)
        assert self.seen(load(name)) == {**own, **shared, "own_process": {1.0}}

    def test_a_writer_that_does_not_write_is_not_seen(self) -> None:
        lazy = SimpleNamespace(counters=lambda function, *arguments: None, function=None)
        assert self.seen(lazy) == {**self.all(self.PLACES, 0.0), "own_process": {1.0}}


class TestPingPong:
    @pytest.mark.parametrize("name", ["threads", "fork", "thread_locks"])
    def test_every_trip_on_one_cpu_switches_twice(self, name: str) -> None:
        found = switches(np.random.default_rng(0), load(name), n=200, cpus="one")
        assert found["all"][0] >= 1.9
        assert found["all"][0] >= found["voluntary"][0] > 0.5

    @pytest.mark.parametrize("name", ["threads", "fork", "thread_locks"])
    def test_the_caller_is_back_on_its_cpus_however_it_ends(self, name: str) -> None:
        before = os.sched_getaffinity(0)
        inputs = draw(task="ping_pong", n=5, workers=2, cpus="one")
        for phases in (1, 2, 3):
            generator = load(name).function(**inputs)
            for _ in range(phases):
                next(generator)
            generator.close()
            assert os.sched_getaffinity(0) == before


class TestInterpreters:
    JOB = Job("python", 3, 12, 1_000)
    SEEDS = np.arange(12) * 1_234_567

    @pytest.mark.parametrize("how", ["serial", "threads"])
    def test_another_interpreter_computes_the_same(self, how: Any) -> None:
        _, checksums, _ = run_in(sys.executable, how, self.JOB, self.SEEDS)
        assert checksums is not None
        assert checksums.tolist() == answer("python", 1_000, self.SEEDS.tolist())

    def test_one_that_is_not_there_is_unavailable_by_name(self) -> None:
        with pytest.raises(Unavailable, match=r"^free-threaded CPython 3\.99 is not installed$"):
            find("3.99", free_threaded=True)

    def test_one_is_found_by_its_version_and_not_taken_for_a_free_threaded_one(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        version = f"{sys.version_info[0]}.{sys.version_info[1]}"
        (tmp_path / f"python{version}").symlink_to(sys.executable)
        (tmp_path / f"python{version}t").symlink_to(sys.executable)
        monkeypatch.setenv("PATH", str(tmp_path))
        monkeypatch.setenv("HOME", str(tmp_path))
        find.cache_clear()
        assert find(version) == str(tmp_path / f"python{version}")
        with pytest.raises(Unavailable, match="free-threaded"):
            find(version, free_threaded=True)
        find.cache_clear()

    def test_what_fails_there_is_told(self) -> None:
        with pytest.raises(RuntimeError, match="KeyError: 'sum'"):
            list(run_in(sys.executable, "serial", Job("sum", 1, 1, 8), self.SEEDS[:1]))


class TestBallast:
    def resident_bytes(self) -> int:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    @pytest.mark.parametrize("huge_pages", [False, True])
    def test_every_page_is_resident(self, huge_pages: bool) -> None:
        size, before = 64 * 2**20, self.resident_bytes()
        ballast = Ballast(size, huge_pages)
        assert ballast.size_bytes == size
        assert self.resident_bytes() - before > 0.95 * size

    def test_more_than_there_is_names_the_amount(self) -> None:
        with pytest.raises(MemoryError, match=str(2**60)):
            Ballast(2**60)


def test_sharing_a_job_out_loses_no_piece_whatever_the_workers() -> None:
    run: Callable[..., Any] = load("threads").function
    inputs = draw(task="sha256", n=5_000, workers=1)
    expected = SUITE.reference(**inputs)["checksums"].tolist()
    for workers in (1, 2, 5, 13):
        job = Job("sha256", workers, 12, 5_000)
        _, checksums, _ = run(**{**inputs, "job": job})
        assert checksums.tolist() == expected
