"""Data-parallel training: worked answers, equality of replicas, traffic against formulas, and ranks that fail."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.contract import Implementation, Unavailable
from impls.building_blocks.data_parallel.buckets import plan_buckets
from impls.building_blocks.data_parallel.model import Perceptron, sum_over_rows
from impls.building_blocks.data_parallel.rank import Rank, Traffic
from impls.building_blocks.data_parallel.replica import FlatReplica
from impls.building_blocks.data_parallel.ring import SEGMENT, SLOTS, Ring, RingMember
from impls.building_blocks.data_parallel.spawned import require_gpus, train_in_spawned_processes
from impls.building_blocks.ranks.signals import Barrier
from suites.data_parallel.probes import full_batch_difference, traffic
from suites.data_parallel.suite import SUITE, TOLERANCE, Settings, measure_errors
from tests.suites.drawing import draw, load

OUTPUTS = ("parameters", "losses", "rank_parameters")
MIB = 2**20


def outcome(implementation: Implementation, inputs: dict[str, Any]) -> dict[str, np.ndarray]:
    """What the last phase delivers."""
    *_, delivered = implementation.function(**inputs)
    return dict(zip(OUTPUTS, delivered, strict=True))


def errors_of(outputs: dict[str, np.ndarray], inputs: dict[str, Any], kind: str = "") -> dict[str, float]:
    """The suite's own errors against its reference."""
    return dict(measure_errors(outputs, SUITE.reference(**inputs), inputs, kind))


def one_weight(**changes: Any) -> dict[str, Any]:
    """Two rows through one weight and one bias."""
    described = Settings(
        in_features=1, hidden=1, depth=1, out_features=1, batch=2, workers=1, steps=2, warm_up_steps=1,
        learning_rate=0.1, momentum=0.5,
    )  # fmt: skip
    return {
        "features": np.array([[1.0], [3.0]]),
        "targets": np.zeros((2, 1)),
        "initial_parameters": np.array([2.0, 1.0]),
        "settings": replace(described, **changes),
    }


class TestReference:
    def test_two_steps_worked_by_hand(self) -> None:
        """Outputs 3 and 7: loss 29, gradient (24, 10). Then outputs -0.4 and -1.2: gradient (-4, -1.6) plus half."""
        answer = SUITE.reference(**one_weight())
        assert answer["losses"] == pytest.approx([29.0, (0.4**2 + 1.2**2) / 2])
        assert answer["parameters"] == pytest.approx([-0.4 - 0.1 * (12 - 4), 0.0 - 0.1 * (5 - 1.6)])

    def test_a_sum_loss_is_not_divided_by_the_rows(self) -> None:
        answer = SUITE.reference(**one_weight(reduction="sum", steps=1))
        assert answer["losses"] == pytest.approx([58.0])
        assert answer["parameters"] == pytest.approx([2 - 4.8, 1 - 2.0])

    @pytest.mark.parametrize(
        "case",
        [
            {"hidden": 4, "depth": 3, "batch": 6, "workers": 1},
            {"hidden": 4, "depth": 6, "batch": 6, "workers": 1, "tied": True},
            {"hidden": 4, "depth": 3, "batch": 6, "workers": 1, "unused": True, "reduction": "sum"},
            {"hidden": 7, "depth": 3, "batch": 6, "workers": 1, "data": "digits"},
        ],
    )
    def test_its_derivatives_are_those_of_finite_differences(self, case: dict[str, Any]) -> None:
        """One step of plain descent reveals the gradient; the loss of the first step is the function."""
        inputs = draw(**case, steps=1)
        described = replace(inputs["settings"], learning_rate=1.0, momentum=0.0)

        def loss_at(parameters: np.ndarray) -> float:
            moved = {**inputs, "settings": described, "initial_parameters": parameters}
            return float(SUITE.reference(**moved)["losses"][0])

        start = inputs["initial_parameters"]
        gradient = start - SUITE.reference(**{**inputs, "settings": described})["parameters"]
        step = 1e-6
        for index in np.random.default_rng(1).choice(len(start), 12, replace=False):
            shift = np.zeros_like(start)
            shift[index] = step
            slope = (loss_at(start + shift) - loss_at(start - shift)) / (2 * step)
            assert gradient[index] == pytest.approx(slope, rel=1e-5, abs=1e-7)


class TestErrorMeasure:
    CASE: dict[str, Any] = {"hidden": 64, "depth": 6, "batch": 128, "workers": 2}  # noqa: RUF012

    def answer(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        inputs = draw(**self.CASE, dtype="float32")
        return inputs, outcome(load("numpy_full_batch"), inputs)

    def test_replicas_that_differ_in_one_bit_are_wrong(self) -> None:
        inputs, outputs = self.answer()
        replicas = np.array(outputs["rank_parameters"])
        replicas[1, 5] = np.nextafter(replicas[1, 5], np.float32(9))
        assert errors_of({**outputs, "rank_parameters": replicas}, inputs)["rank_parameters"] == float("inf")

    @pytest.mark.parametrize("kind", ["", "bfloat16"])
    @pytest.mark.parametrize("share", [0.0, 0.5, 2.0])
    def test_a_wrong_step_is_far_outside_the_limit(self, kind: str, share: float) -> None:
        """Not training at all, the mean instead of the sum over two ranks, and the sum instead of the mean."""
        inputs, outputs = self.answer()
        start = inputs["initial_parameters"]
        wrong = start + np.float32(share) * (outputs["parameters"] - start)
        assert (
            errors_of({**outputs, "parameters": wrong}, inputs, kind)["parameters"] > 20 * TOLERANCE.limits["float32"]
        )

    def test_gradients_rounded_to_bfloat16_fail_the_plain_measure_and_pass_their_own(self) -> None:
        inputs = draw(**self.CASE, dtype="float32")
        outputs = outcome(load("processes_bucketed_bf16"), inputs)
        assert errors_of(outputs, inputs)["parameters"] > TOLERANCE.limits["float32"]
        assert max(errors_of(outputs, inputs, "bfloat16").values()) < TOLERANCE.limits["float32"]


class TestControls:
    @pytest.mark.parametrize("name", ["ddp", "processes_bucketed"])
    @pytest.mark.parametrize("control", ["unequal_shards", "sum_loss"])
    def test_the_plain_average_fails_where_it_must(self, name: str, control: Any) -> None:
        found = full_batch_difference(np.random.default_rng(3), load(name), "regression", 2, "float64", control)
        assert found["smallest"][0] > 1e-3

    def test_the_plain_average_of_equal_shards_does_not(self) -> None:
        found = full_batch_difference(np.random.default_rng(3), load("processes_flat"), "regression", 2, "float64")
        assert found["largest"][0] < 1e-12


@given(batch=st.integers(0, 40), workers=st.integers(1, 9))
def test_shards_cover_a_batch_and_differ_by_one_row_at_most(batch: int, workers: int) -> None:
    described = one_weight(batch=batch, workers=workers)["settings"]
    bounds = [described.shard(rank) for rank in range(workers)]
    assert [row for first, last in bounds for row in range(first, last)] == list(range(batch))
    sizes = [last - first for first, last in bounds]
    assert max(sizes) - min(sizes) <= 1


class TestBuckets:
    def test_a_plan_worked_by_hand(self) -> None:
        """From the end: 2 and 3 fit into 6, 9 is larger than the cap, 4 and 1 fit, 5 would lift them over it."""
        assert plan_buckets([5, 1, 4, 9, 3, 2], 6) == [range(4, 6), range(3, 4), range(1, 3), range(1)]

    @pytest.mark.parametrize(("cap_mb", "buckets"), [(0.0001, 16), (1, 16), (25, 2), (1000, 1)])
    def test_counts_for_eight_layers_1024_wide(self, cap_mb: float, buckets: int) -> None:
        assert len(plan_buckets([4 * 1024**2, 4 * 1024] * 8, int(cap_mb * MIB))) == buckets

    @given(sizes=st.lists(st.integers(1, 50), min_size=1, max_size=30), cap=st.integers(0, 120))
    def test_every_parameter_once_from_last_to_first_and_no_bucket_too_full(self, sizes: list[int], cap: int) -> None:
        plan = plan_buckets(sizes, cap)
        assert [n for bucket in reversed(plan) for n in bucket] == list(range(len(sizes)))
        for bucket, following in zip(plan, [*plan[1:], range(0)], strict=True):
            held = sum(sizes[n] for n in bucket)
            assert held <= cap or len(bucket) == 1
            assert not following or held + sizes[following[-1]] > cap


def in_threads(count: int, work: Any) -> list[Any]:
    """``work(rank)`` in a thread for each rank, with their results."""
    results: list[Any] = [None] * count

    def run(rank: int) -> None:
        results[rank] = work(rank)

    threads = [threading.Thread(target=run, args=(rank,), daemon=True) for rank in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert not any(thread.is_alive() for thread in threads)
    return results


class TestRing:
    @settings(max_examples=25)
    @given(ranks=st.integers(1, 5), chunk=st.integers(0, 300), calls=st.integers(1, 3), seed=st.integers(0, 99))
    def test_sums_with_equal_bits_everywhere_and_the_optimal_bytes(
        self, ranks: int, chunk: int, calls: int, seed: int
    ) -> None:
        addends = np.random.default_rng(seed).normal(size=(ranks, ranks * chunk)).astype(np.float32)
        self.check(addends, calls)

    def test_chunks_of_more_segments_than_an_inbox_has(self) -> None:
        self.check(np.random.default_rng(0).normal(size=(2, 2 * (SEGMENT * (SLOTS + 1) + 7))).astype(np.float32), 2)

    def check(self, addends: np.ndarray, calls: int) -> None:
        ranks, length = addends.shape
        ring = Ring(one_weight(workers=ranks)["settings"], addends.dtype)

        def reduce(rank: int) -> tuple[np.ndarray, Traffic]:
            counted = Traffic()
            member = RingMember(ring, rank, counted)
            for _ in range(calls):
                values = torch.from_numpy(addends[rank].copy())
                member.all_reduce(values)
            return values.numpy(), counted

        results = in_threads(ranks, reduce)
        ring.close()
        expected = addends.astype(np.float64).sum(axis=0)
        bound = ranks * 2.0**-24 * np.abs(addends).sum(axis=0, dtype=np.float64)
        for values, counted in results:
            assert np.all(np.abs(values - expected) <= bound)
            assert values.tobytes() == results[0][0].tobytes()
            assert counted.sent_bytes == calls * 2 * (ranks - 1) * 4 * length // ranks


@pytest.mark.parametrize("ranks", [1, 2, 3, 5])
def test_no_rank_leaves_the_barrier_before_all_have_come(ranks: int) -> None:
    barrier, arrived, seen = Barrier(ranks), [0] * ranks, []

    def cross(rank: int) -> None:
        for crossing in range(1, 31):
            arrived[rank] = crossing
            barrier.wait(rank)
            seen.append(min(arrived) >= crossing)

    in_threads(ranks, cross)
    barrier.close()
    assert len(seen) == 30 * ranks
    assert all(seen)


class TestTraffic:
    """Three layers 5 x 5, that is 90 parameters of 4 bytes in 6 arrays."""

    SIZE = 4 * 90

    def count(self, name: str, workers: int, **case: Any) -> dict[str, list[float]]:
        described = {"hidden": 5, "depth": 3, "batch": 8, **case}
        return traffic(np.random.default_rng(0), load(name), workers=workers, **described)

    @pytest.mark.parametrize("workers", [2, 3, 4])
    def test_ring_sends_two_p_minus_one_over_p(self, workers: int) -> None:
        """90 numbers are padded to 92 for four ranks."""
        padded = -(-90 // workers) * workers
        assert self.count("processes_ring", workers)["sent_bytes"] == [2 * (workers - 1) * 4 * padded / workers]

    def test_a_server_sends_to_everyone_and_the_others_to_it(self) -> None:
        assert self.count("parameter_server", 3)["sent_bytes"] == [self.SIZE, 2 * self.SIZE]

    @pytest.mark.parametrize(
        ("name", "case", "calls", "payload_bytes"),
        [
            ("processes_flat", {}, 1, SIZE),
            ("processes_per_parameter", {}, 6, SIZE),
            ("processes_bucketed", {"bucket_cap_mb": 0.0}, 6, SIZE),
            ("processes_bucketed", {"bucket_cap_mb": 240 / MIB}, 2, SIZE),
            ("processes_bucketed", {"micro_batches": 4}, 1, SIZE),
            ("processes_bucketed_bf16", {"bucket_cap_mb": 0.0}, 6, SIZE / 2),
            ("ddp", {"bucket_cap_mb": 0.0}, 6, SIZE),
            ("ddp", {"micro_batches": 4}, 1, SIZE),
        ],
    )
    def test_calls_and_bytes_handed_over(self, name: str, case: dict[str, Any], calls: int, payload_bytes: int) -> None:
        found = self.count(name, 2, **case)
        assert (found["calls"], found["payload_bytes"]) == ([calls], [payload_bytes])

    def test_ddp_looks_at_the_cap_after_adding_a_parameter(self) -> None:
        """Its 8 buckets of a bias and a weight each, where ours are 16, are what the claim's remark says."""
        found = traffic(
            np.random.default_rng(0), load("ddp"), workers=2, hidden=1024, depth=8, batch=2, bucket_cap_mb=1
        )
        assert found["calls"] == [8]


def test_the_replica_has_its_parameters_in_the_order_of_the_flat_array() -> None:
    inputs = draw(hidden=4, depth=5, batch=6, workers=1, tied=True, unused=True)
    described = inputs["settings"]
    model = Perceptron(described, torch.float64)
    model.load_flat(torch.from_numpy(inputs["initial_parameters"]))
    flat = torch.cat([parameter.detach().flatten() for parameter in model.parameters()])
    assert flat.numpy().tobytes() == inputs["initial_parameters"].tobytes()
    loss = sum_over_rows(
        model(torch.from_numpy(inputs["features"][:6])), torch.from_numpy(inputs["targets"][:6]), described
    )
    assert loss.item() / 24 == pytest.approx(SUITE.reference(**inputs)["losses"][0], rel=1e-12)


def test_weights_of_unequal_shards_sum_to_the_whole_batch() -> None:
    inputs = draw(hidden=3, depth=2, batch=3, workers=4)
    ranks = [Rank(number, inputs["settings"], *list(inputs.values())[:3]) for number in range(4)]
    replicas = [FlatReplica(rank) for rank in ranks]
    assert [replica.shard.last - replica.shard.first for replica in replicas] == [0, 1, 1, 1]
    total = sum(replica.backward(0) for replica in replicas) / 9
    assert total == pytest.approx(SUITE.reference(**inputs)["losses"][0], rel=1e-12)


class TestGpus:
    def test_fewer_than_two_are_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
        with pytest.raises(Unavailable, match="needs 2 CUDA devices, found 1"):
            require_gpus(1)

    @pytest.mark.slow
    def test_ranks_in_fresh_interpreters_train_the_same(self) -> None:
        """The processes that hold one GPU each, run here on the CPU over gloo."""
        inputs = draw(hidden=5, depth=3, batch=7, workers=2, steps=3)
        *_, delivered = train_in_spawned_processes("cpu", **inputs)
        assert max(errors_of(dict(zip(OUTPUTS, delivered, strict=True)), inputs).values()) < 1e-12

    @pytest.mark.gpu
    @pytest.mark.skipif(torch.cuda.device_count() < 2, reason="needs two GPUs")
    @pytest.mark.parametrize("name", ["data_parallel_gpu", "ddp_nccl"])
    def test_both_peers_are_right_on_two(self, name: str) -> None:
        inputs = draw(hidden=5, depth=3, batch=8, workers=2, steps=4)
        implementation = load(name)
        if implementation.arrays == "torch":
            moved = {k: torch.tensor(v, device="cuda") if isinstance(v, np.ndarray) else v for k, v in inputs.items()}
            *_, delivered = implementation.function(**moved)
            outputs = {
                name: np.asarray(getattr(value, "cpu", lambda v=value: v)())
                for name, value in zip(OUTPUTS, delivered, strict=True)
            }
        else:
            outputs = outcome(implementation, inputs)
        assert max(errors_of(outputs, inputs).values()) < 1e-12
