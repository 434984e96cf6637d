"""All-reduce: worked answers, schedules whose events come in any order, counters against formulas, failing ranks."""

from __future__ import annotations

import gc
import importlib
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.contract import Implementation, Unavailable
from impls.building_blocks.allreduce.hosts import Hosts
from impls.building_blocks.allreduce.member import Endpoint
from impls.building_blocks.allreduce.simulator import Simulation
from impls.building_blocks.allreduce.steps import Receive, Send, Step, plan, segments, split
from impls.building_blocks.allreduce.team import STANDING, in_processes
from suites.allreduce.data import draw
from suites.allreduce.model import ALGORITHMS, crossover_bytes, duration_s, least_bytes, table
from suites.allreduce.probes import agreement, traffic
from suites.allreduce.reference import depth, error_over_bound, measure_errors, reference
from suites.allreduce.settings import Link, Settings
from suites.allreduce.suite import make_inputs, repeats

COMPOSED = "reduce_scatter_all_gather"
LINK = Link(latency_s=1e-5, s_per_byte=1e-9, reduction_s_per_byte=1e-10)
OURS = (*ALGORITHMS, COMPOSED)


def load(name: str) -> Any:
    return importlib.import_module(f"impls.allreduce.{name}")


def simulate(name: str, ranks: int, n: int, link: Link = LINK) -> Any:
    return Simulation(load(name).schedule, ranks, n, link).run()


def last(implementation: Implementation, inputs: dict[str, Any]) -> np.ndarray:
    *_, sums = implementation.function(**inputs)
    assert isinstance(sums, np.ndarray)
    return sums


class TestReference:
    def test_a_sum_worked_by_hand(self) -> None:
        addends = np.array([[1.0, 2.0], [10.0, -2.0], [0.5, np.inf]])
        sums = reference(addends, Settings(3, 2, "shared"))["sums"]
        assert sums.shape == (3, 2, 2)
        assert sums[2, 1].tolist() == [11.5, np.inf]

    @pytest.mark.parametrize(
        ("kind", "ranks", "additions"),
        [("linear", 7, 6), ("logarithmic", 7, 3), ("logarithmic", 8, 3), ("double_tree", 8, 6), ("linear", 1, 0)],
    )
    def test_depths(self, kind: str, ranks: int, additions: int) -> None:
        assert depth(kind, ranks) == additions

    def test_one_bit_of_one_rank_is_wrong_altogether(self) -> None:
        inputs = make_inputs(np.random.default_rng(0), 50, 3)
        expected = reference(**inputs)
        sums = expected["sums"].astype(np.float32)
        assert measure_errors({"sums": sums}, expected, inputs, "linear")["sums"] < 1
        sums[2, 1, 7] = np.nextafter(sums[2, 1, 7], np.float32(9))
        assert measure_errors({"sums": sums}, expected, inputs, "linear")["sums"] == float("inf")

    @pytest.mark.parametrize("wrong", [0.0, np.nan, -np.inf])
    def test_what_is_not_finite_must_be_the_same(self, wrong: float) -> None:
        addends = np.array([[np.inf, 1.0], [1.0, 2.0]], np.float32)
        exact = addends.sum(axis=0, dtype=np.float64)
        assert error_over_bound(np.float32([np.inf, 3.0]), addends, "linear", exact) == 0
        assert error_over_bound(np.float32([wrong, 3.0]), addends, "linear", exact) == float("inf")

    def test_leaving_out_a_rank_or_adding_it_twice_is_far_outside_the_bound(self) -> None:
        addends = draw(np.random.default_rng(0), "normal", 8, 300)
        exact = addends.sum(axis=0, dtype=np.float64)
        for weight in (-1.0, 1.0):
            off = (exact + weight * addends[3]).astype(np.float32)
            assert error_over_bound(off, addends, "linear", exact) > 1e4


class TestSteps:
    @given(first=st.integers(0, 50), length=st.integers(0, 300), parts=st.integers(1, 40))
    def test_parts_cover_a_span_and_differ_by_one_at_most(self, first: int, length: int, parts: int) -> None:
        spans = split((first, first + length), parts)
        assert [index for start, stop in spans for index in range(start, stop)] == list(range(first, first + length))
        sizes = {stop - start for start, stop in spans}
        assert max(sizes) - min(sizes) <= 1

    def test_segments_are_as_few_as_can_be(self) -> None:
        assert segments((0, 100), 100) == [(0, 100)]
        assert segments((0, 101), 100) == [(0, 50), (50, 101)]
        assert segments((5, 5), 100) == [(5, 5)]

    def test_the_ring_of_three_as_it_is_written_in_the_paper(self) -> None:
        ring = list(load("ring").schedule(1, 3, 3))
        assert ring[0] == Step((Send(2, 1, 2),), (Receive(0, 0, 1, True),))
        assert [(step.sends[0].start, step.receives[0].start) for step in ring] == [(1, 0), (0, 2), (2, 1), (1, 0)]

    def test_nobody_sends_an_empty_message(self) -> None:
        for name in OURS:
            for rank in range(7):
                for step in plan(load(name).schedule, rank, 7, 3):
                    assert step.sends or step.receives
                    assert all(message.start < message.stop for message in (*step.sends, *step.receives))


class TestSchedules:
    """In the simulator the receiver reads the sender's memory when it takes a message, in an order that is drawn."""

    @pytest.mark.parametrize("name", OURS)
    @settings(max_examples=15)
    @given(
        ranks=st.integers(1, 21),
        n=st.one_of(st.integers(0, 40), st.just(70_001)),
        seed=st.integers(0, 9),
        data=st.sampled_from(["mixed", "not_finite", "cancelling"]),
    )
    def test_sums_with_equal_bits_whatever_the_order_of_events(
        self, name: str, ranks: int, n: int, seed: int, data: Any
    ) -> None:
        rng = np.random.default_rng(seed)
        addends = draw(rng, data, ranks, n)
        values = addends.copy()
        kind = load(name).all_reduce.kind
        with np.errstate(invalid="ignore"):
            Simulation(load(name).schedule, ranks, n, LINK, values, lambda: float(rng.exponential(1e-3))).run()
            exact = addends.sum(axis=0, dtype=np.float64)
        assert all(each.tobytes() == values[0].tobytes() for each in values)
        assert error_over_bound(values[0], addends, kind, exact) <= 1

    def test_who_overwrites_what_is_still_to_be_read_is_found_out(self) -> None:
        """Doubling without waiting for the exchange, which this simulation must be able to tell."""

        def careless(rank: int, ranks: int, length: int) -> Any:
            for step in load("recursive_doubling").schedule(rank, ranks, length):
                yield step._replace(exchange=False)

        values = draw(np.random.default_rng(0), "normal", 4, 10)
        Simulation(careless, 4, 10, LINK, values).run()
        assert len({each.tobytes() for each in values}) > 1

    @pytest.mark.parametrize(
        ("steps", "message"),
        [
            ([Step(receives=(Receive(1, 0, 1, True),))], "rank 0 waits for rank 1 for ever"),
            ([Step(sends=(Send(1, 0, 1),))], "never takes a message"),
        ],
    )
    def test_ranks_that_wait_for_ever_are_told(self, steps: list[Step], message: str) -> None:
        with pytest.raises(RuntimeError, match=message):
            Simulation(lambda rank, ranks, length: steps if rank == 0 else [], 2, 1, LINK).run()

    def test_elements_that_do_not_fit_are_told(self) -> None:
        def confused(rank: int, ranks: int, length: int) -> list[Step]:
            return [Step(sends=(Send(1, 0, 2),)) if rank == 0 else Step(receives=(Receive(0, 1, 3, True),))]

        with pytest.raises(RuntimeError, match="expects 1 to 3 of rank 0, which sends 0 to 2"):
            Simulation(confused, 2, 3, LINK).run()

    def test_of_two_nan_all_ranks_have_the_same(self) -> None:
        values = np.array([[np.nan], [-np.nan], [1.0], [-np.nan]], np.float32)
        sums = last(load("recursive_doubling").all_reduce, {"addends": values, "settings": Settings(4, 2, "shared")})
        assert len({sums[rank, 0].tobytes() for rank in range(4)}) == 1


class TestSimulator:
    @pytest.mark.parametrize("name", ["ring", "binomial_tree", "recursive_doubling", "halving_doubling"])
    @pytest.mark.parametrize(("ranks", "n"), [(2, 64), (8, 4096), (16, 2**20)])
    def test_takes_as_long_as_the_formula_says(self, name: str, ranks: int, n: int) -> None:
        assert simulate(name, ranks, n).duration_s == pytest.approx(duration_s(name, n, ranks, LINK), rel=1e-9)

    @pytest.mark.parametrize("name", ["parameter_server", "segmented_ring", "double_tree"])
    @pytest.mark.parametrize(("ranks", "n"), [(4, 2**20), (8, 2**20), (16, 2**21)])
    def test_pipelines_take_about_as_long(self, name: str, ranks: int, n: int) -> None:
        """A server adds while more arrives, which the formula does not know."""
        assert simulate(name, ranks, n).duration_s == pytest.approx(duration_s(name, n, ranks, LINK), rel=0.06)

    def test_two_senders_share_the_way_into_one_receiver(self) -> None:
        def both_to_the_last(rank: int, ranks: int, length: int) -> list[Step]:
            if rank < 2:
                return [Step(sends=(Send(2, 0, length),))]
            return [Step(receives=(Receive(0, 0, length, True),)), Step(receives=(Receive(1, 0, length, True),))]

        found = Simulation(both_to_the_last, 3, 250, Link(1.0, 0.001, 0.0001)).run()
        assert found.duration_s == pytest.approx(2 * (1 + 1) + 0.1)
        assert found.received_bytes.tolist() == [0, 0, 2000]
        assert found.additions.tolist() == [0, 0, 500]

    def test_a_thousand_ranks(self) -> None:
        found = simulate("recursive_doubling", 1024, 3)
        assert found.messages.tolist() == [10] * 1024
        assert found.sent_bytes.tolist() == [10 * 12] * 1024

    def test_where_ring_and_doubling_meet(self) -> None:
        size = crossover_bytes(8, LINK)
        n = round(size / 4)
        assert duration_s("ring", n, 8, LINK) == pytest.approx(duration_s("recursive_doubling", n, 8, LINK), rel=1e-3)
        assert simulate("ring", 8, n // 4).duration_s > simulate("recursive_doubling", 8, n // 4).duration_s
        assert simulate("ring", 8, n * 4).duration_s < simulate("recursive_doubling", 8, n * 4).duration_s
        assert crossover_bytes(2, LINK._replace(reduction_s_per_byte=0.0)) == float("inf")


class TestCounters:
    @pytest.mark.parametrize("name", OURS)
    def test_processes_and_simulator_count_the_same(self, name: str) -> None:
        counters = load(name).all_reduce.counters
        addends = draw(np.random.default_rng(0), "normal", 5, 203)
        real, simulated = counters(addends, Settings(5, 1, "shared")), counters(addends, LINK)
        for what in ("messages", "sent_bytes", "received_bytes", "additions"):
            assert getattr(real, what).tolist() == getattr(simulated, what).tolist()

    @pytest.mark.parametrize("name", ALGORITHMS)
    def test_the_table_at_four_ranks(self, name: str) -> None:
        found = simulate(name, 4, 400)
        expected = table(name, 4, 400)
        assert found.messages.max() <= expected.messages
        assert found.sent_bytes.max() <= expected.sent_bytes
        assert max(found.sent_bytes.max(), found.received_bytes.max()) >= least_bytes(4, 400)

    def test_a_wrong_count_shows_in_the_probe(self) -> None:
        """A ring that goes round once more than it must is off the table by what it sends."""
        ring = load("ring")

        def wasteful(rank: int, ranks: int, length: int) -> Any:
            yield from ring.schedule(rank, ranks, length)
            yield Step((Send((rank + 1) % ranks, 0, length),), (Receive((rank - 1) % ranks, 0, length, False),))

        def count(addends: np.ndarray, link: Link) -> Any:
            return Simulation(wasteful, *addends.shape, link).run()

        wrong = Implementation(ring.all_reduce.function, ring.all_reduce.suite, counters=count)
        found = traffic(np.random.default_rng(0), wrong, "simulator", 2, 9)
        assert found["bytes_off"][0] > 0.5
        assert found["messages_off"][0] > 0


class TestTransports:
    @pytest.mark.parametrize("transport", ["gloo", "shared", "throttled"])
    @pytest.mark.parametrize("name", ["ring", "double_tree"])
    def test_bits_are_those_of_the_simulator(self, name: str, transport: Any) -> None:
        """Over more segments than one, and so that a second call finds the ranks of the first."""
        addends = draw(np.random.default_rng(1), "mixed", 3, 100_003)
        values = addends.copy()
        Simulation(load(name).schedule, 3, 100_003, LINK, values).run()
        for _ in range(2):
            sums = last(load(name).all_reduce, {"addends": addends, "settings": Settings(3, 2, transport)})
            assert all(buffer.tobytes() == values[0].tobytes() for rank in sums for buffer in rank)

    def test_a_throttled_link_takes_its_time(self) -> None:
        """No clock is judged from above: 4 MB at 100 MB/s cannot have arrived sooner."""
        implementation = load("recursive_doubling").all_reduce
        addends = draw(np.random.default_rng(0), "constant", 2, 1_000_000)
        generator = implementation.function(addends, Settings(2, 1, "throttled"))
        next(generator)
        next(generator)
        begin = time.monotonic()
        next(generator)
        assert time.monotonic() - begin > 0.035
        generator.close()

    def test_between_hosts(self) -> None:
        addends = draw(np.random.default_rng(1), "mixed", 3, 40_003)
        try:
            sums = last(load("ring").all_reduce, {"addends": addends, "settings": Settings(3, 1, "hosts")})
        except Unavailable as reason:
            pytest.skip(str(reason))
        values = addends.copy()
        Simulation(load("ring").schedule, 3, 40_003, LINK, values).run()
        assert all(rank[0].tobytes() == values[0].tobytes() for rank in sums)

    def test_what_cannot_make_hosts_says_why(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PATH", "/nowhere")
        with pytest.raises(Unavailable, match="needs the program ip"):
            Hosts(2)

    def test_the_composition_and_the_ring_have_the_same_digest_and_another_sum_has_not(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("suites.allreduce.probes.LARGE", 1003)
        found = {
            name: agreement(np.random.default_rng(4), load(name).all_reduce, 3)
            for name in (COMPOSED, "ring", "recursive_doubling")
        }
        assert found[COMPOSED]["digest"] == found["ring"]["digest"]
        assert found["recursive_doubling"]["digest"] != found["ring"]["digest"]
        assert max(each["error_over_bound"][0] for each in found.values()) <= 1


class Faulty:
    """Rank 1 gives up while rank 0 would wait for it for ever."""

    def __init__(self, endpoint: Endpoint, buffers: np.ndarray) -> None:
        self.endpoint = endpoint

    def all_reduce(self, repeat: int) -> None:
        if self.endpoint.rank == 1:
            raise ArithmeticError("the second rank gives up")
        self.endpoint.fetch(Receive(1, 0, 1, True))


class TestEnds:
    def test_a_failing_rank_is_reported_and_takes_the_others_along(self) -> None:
        STANDING.stop()
        gc.collect()  # what earlier tests left open would be closed in between
        before = len(list(Path("/proc/self/fd").iterdir()))
        addends = np.ones((3, 5), np.float32)
        with pytest.raises(RuntimeError, match=r"(?s)rank 1 failed.*the second rank gives up"):
            list(in_processes(Faulty, addends, Settings(3, 1, "shared")))
        gc.collect()  # the failed call's frames hold its memory
        assert len(list(Path("/proc/self/fd").iterdir())) == before

    def test_ranks_of_one_purpose_end_when_others_are_asked_for(self) -> None:
        first = STANDING.of(Faulty, 2, "shared", exact=True)
        assert STANDING.of(Faulty, 2, "shared", exact=True) is first
        processes = first.processes
        assert STANDING.of(Faulty, 3, "shared", exact=True) is not first
        assert not any(Path("/proc", str(process)).exists() for process in processes)
        STANDING.stop()


def test_small_buffers_are_reduced_several_times_and_large_ones_once() -> None:
    assert [repeats(n) for n in (0, 1, 2**17, 2**18, 2**24)] == [10, 10, 2, 1, 1]


def test_gradients_are_those_of_a_network() -> None:
    gradients = draw(np.random.default_rng(0), "gradients", 3, 5000)
    assert gradients.shape == (3, 5000)
    assert np.isfinite(gradients).all()
    assert 0 < np.abs(gradients[0] - gradients[1]).max() < 1
