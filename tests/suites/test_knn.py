"""Nearest neighbours: answers worked by hand, invariants of the tree, counters against formulas, refused inputs."""

from __future__ import annotations

import importlib
import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.contract import Implementation
from harness.worker.loading import Unavailable, load_implementation
from impls.building_blocks.knn import ragged
from impls.building_blocks.knn.checks import squared_limit
from impls.building_blocks.knn.tree_build import build_tree
from impls.building_blocks.knn.tree_search import nearest
from impls.knn.numba_kdtree import Instrumented
from impls.knn.numba_kdtree import knn as numba_kdtree
from suites.knn.data import SOURCES, describe, draw_points
from suites.knn.probes import examined_bound
from suites.knn.suite import make_inputs, measure_errors, reference

ROOT = Path(__file__).parents[2]
FILES = sorted(path.stem for path in (ROOT / "impls" / "knn").glob("*.py") if not path.stem.startswith("_"))

LINE = np.array([[0.0, 0.0], [3.0, 4.0], [6.0, 8.0]])
ORIGIN = np.zeros((1, 2))


def ask(implementation: Implementation, **inputs: Any) -> tuple[np.ndarray, ...]:
    """The answer of an implementation that takes NumPy arrays, both phases run."""
    asked = {"k": 1, "radius": 0.0, "closed": True, "search": "nearest", "metric": "l2", **inputs}
    build, query = implementation.function(**asked)
    assert build is None
    return tuple(query)


def expect(**inputs: Any) -> dict[str, list[Any]]:
    asked = {"k": 1, "radius": 0.0, "closed": True, "search": "nearest", "metric": "l2", **inputs}
    return {name: np.asarray(value).tolist() for name, value in reference(**asked).items()}


class TestReference:
    def test_nearest_of_three_points_on_a_line(self) -> None:
        answer = expect(points=LINE, queries=ORIGIN, k=2)
        assert answer == {"distances": [0.0, 5.0], "indices": [0, 1], "offsets": [0, 2]}

    @pytest.mark.parametrize(("closed", "indices"), [(True, [0, 1]), (False, [0])])
    def test_point_on_the_sphere_belongs_to_the_closed_ball_only(self, closed: bool, indices: list[int]) -> None:
        answer = expect(points=LINE, queries=ORIGIN, radius=5.0, closed=closed, search="range")
        assert answer["indices"] == indices

    def test_chebyshev_distance_is_the_larger_coordinate(self) -> None:
        assert expect(points=LINE, queries=ORIGIN, k=3, metric="linf")["distances"] == [0.0, 4.0, 8.0]

    def test_range_without_hits_is_an_empty_row(self) -> None:
        answer = expect(points=LINE + 9.0, queries=np.zeros((2, 2)), radius=1.0, search="range")
        assert answer == {"distances": [], "indices": [], "offsets": [0, 0, 0]}


class TestSquaredLimit:
    @pytest.mark.parametrize("radius", [0.0, 1e-100, 0.1, math.sqrt(3.0), 5.0, 1e10])
    def test_it_is_the_last_double_inside(self, radius: float) -> None:
        closed, opened = squared_limit(radius, True), squared_limit(radius, False)
        assert math.sqrt(closed) <= radius < math.sqrt(math.nextafter(closed, math.inf))
        assert opened < closed
        assert math.sqrt(math.nextafter(opened, math.inf)) >= radius

    def test_plain_square_would_lose_a_point_on_the_sphere(self) -> None:
        assert math.sqrt(3.0) ** 2 < 3.0 <= squared_limit(math.sqrt(3.0), True)


class TestErrorMeasure:
    def setup_method(self) -> None:
        points = np.array([[1.0], [-1.0], [2.0], [5.0]])
        self.inputs = {"points": points, "queries": np.zeros((1, 1)), "metric": "l2"}
        answer = {"distances": [1.0, 1.0, 2.0], "indices": [0, 1, 2], "offsets": [0, 3]}
        self.expected = {name: np.array(value) for name, value in answer.items()}

    def errors(self, **changed: list[float]) -> dict[str, float]:
        outputs = {**self.expected, **{name: np.array(value) for name, value in changed.items()}}
        return dict(measure_errors(outputs, self.expected, self.inputs, ""))

    def test_tied_points_may_change_places(self) -> None:
        assert self.errors(indices=[1, 0, 2])["indices"] == 0

    @pytest.mark.parametrize("indices", [[2, 1, 0], [0, 1, 3]], ids=["shuffled", "farther point"])
    def test_index_of_a_point_at_another_distance_is_wrong(self, indices: list[float]) -> None:
        assert self.errors(indices=indices)["indices"] >= 0.5

    @pytest.mark.parametrize("indices", [[0, 0, 2], [-4, 1, 2], [0, 1, 4]], ids=["repeated", "negative", "too large"])
    def test_index_that_names_no_point_of_its_own_is_wrong(self, indices: list[float]) -> None:
        assert self.errors(indices=indices)["indices"] == math.inf

    def test_shuffled_distances_are_wrong(self) -> None:
        assert self.errors(distances=[2.0, 1.0, 1.0])["distances"] >= 0.5

    def test_other_offsets_are_wrong(self) -> None:
        assert self.errors(offsets=[0, 2])["offsets"] == 1

    def test_zero_distance_has_to_be_zero(self) -> None:
        expected = {**self.expected, "distances": np.array([0.0, 1.0, 2.0])}
        outputs = {**expected, "distances": np.array([1e-8, 1.0, 2.0])}
        assert measure_errors(outputs, expected, self.inputs, "")["distances"] == pytest.approx(5e-9)


class TestRefusedInputs:
    @pytest.mark.parametrize("name", FILES)
    @pytest.mark.parametrize("where", ["points", "queries"])
    def test_nan_is_an_error(self, name: str, where: str) -> None:
        try:
            implementation = load_implementation(
                f"impls.knn.{name}", ROOT / "impls" / "knn" / f"{name}.py", ("impls", "suites", "harness")
            )
        except Unavailable as reason:
            pytest.skip(str(reason))
        if "cpu" not in implementation.devices:
            pytest.skip("needs a GPU")
        inputs = make_inputs(np.random.default_rng(0), n=20, d=2, m=3, k=2, search="nearest")
        inputs[where][1, 1] = math.nan
        dtype = implementation.dtypes[0]
        for array in ("points", "queries"):
            value = inputs[array].astype(dtype)
            if implementation.arrays == "torch":
                value = importlib.import_module("torch").tensor(value)
            inputs[array] = value.tolist() if implementation.arrays == "python" else value
        with pytest.raises(ValueError, match=r"(?i)nan"):
            list(implementation.function(**inputs))

    def test_reference_refuses_nan_too(self) -> None:
        with pytest.raises(ValueError, match="NaN"):
            expect(points=LINE, queries=np.array([[math.nan, 0.0]]))


class TestTree:
    @settings(max_examples=40)
    @given(
        n=st.integers(1, 120),
        d=st.integers(1, 4),
        leaf_size=st.integers(1, 20),
        side=st.integers(1, 6),
        cyclic=st.booleans(),
        seed=st.integers(0, 9),
    )
    def test_every_split_separates_the_points(
        self, n: int, d: int, leaf_size: int, side: int, cyclic: bool, seed: int
    ) -> None:
        points = np.random.default_rng(seed).integers(side, size=(n, d)).astype(np.float64)
        tree = build_tree(points, leaf_size, cyclic)
        leaves, _, capacity = tree.blocks.shape
        assert capacity <= leaf_size
        assert tree.sizes.sum() == n
        assert np.ptp(tree.sizes) <= 1
        members = [tree.ids[leaf, : tree.sizes[leaf]] for leaf in range(leaves)]
        assert sorted(np.concatenate(members)) == list(range(n))
        for leaf, rows in enumerate(members):
            assert np.array_equal(tree.blocks[leaf, :, : len(rows)].T, points[rows])
            node = leaf + len(tree.dims)
            while node:
                parent, right = (node - 1) // 2, node % 2 == 0
                side_values = points[rows, tree.dims[parent]]
                split = tree.splits[parent]
                assert np.all(side_values >= split if right else side_values <= split)
                node = parent

    @settings(max_examples=40)
    @given(
        n=st.integers(1, 150),
        d=st.integers(1, 4),
        k=st.integers(1, 150),
        side=st.integers(1, 7),
        radius=st.integers(0, 4),
        closed=st.booleans(),
        search=st.sampled_from(["nearest", "range"]),
        metric=st.sampled_from(["l2", "linf"]),
    )
    def test_lattices_full_of_ties_are_answered_exactly(
        self, n: int, d: int, k: int, side: int, radius: int, **asked: Any
    ) -> None:
        rng = np.random.default_rng(n)
        inputs = {
            "points": rng.integers(side, size=(n, d)).astype(np.float64),
            "queries": rng.integers(-1, side + 1, size=(5, d)).astype(np.float64),
            "k": min(n, k),
            "radius": float(radius),
            **asked,
        }
        expected = {name: np.asarray(value) for name, value in reference(**inputs).items()}
        distances, indices, offsets = ask(numba_kdtree, **inputs)
        outputs = {"distances": distances, "indices": indices, "offsets": offsets}
        assert max(measure_errors(outputs, expected, inputs, "").values()) < 1e-12

    def test_more_hits_than_the_first_room_are_all_found(self) -> None:
        points = np.random.default_rng(0).random((500, 2))
        queries = np.array([[0.5, 0.5], [9.0, 9.0], [0.0, 0.0]])
        inputs = {"points": points, "queries": queries, "radius": 0.6, "search": "range"}
        distances, indices, offsets = ask(numba_kdtree, **inputs)
        expected = expect(**inputs)
        assert np.diff(offsets)[0] > ragged.INSERTION_UP_TO > ragged.FIRST_ROOM
        assert offsets.tolist() == expected["offsets"]
        assert indices.tolist() == expected["indices"]
        np.testing.assert_allclose(distances, expected["distances"], rtol=1e-14)

    def test_order_of_the_queries_does_not_change_their_answers(self, monkeypatch: pytest.MonkeyPatch) -> None:
        rng = np.random.default_rng(1)
        tree = build_tree(rng.random((3000, 3)), 8)
        queries = rng.random((300, 3))
        plain = nearest(tree, queries, 4, "l2")
        monkeypatch.setattr("impls.building_blocks.knn.tree_search.REORDER_ABOVE_BYTES", 0)
        for before, after in zip(plain, nearest(tree, queries, 4, "l2"), strict=True):
            assert np.array_equal(before, after)


class TestCounters:
    def test_all_points_as_neighbours_means_a_visit_to_every_node(self) -> None:
        points, queries = draw_points(np.random.default_rng(0), "uniform", 64, 3, 5)
        counts = Instrumented(points, leaf_size=4).nearest(queries, 64)
        assert counts.tolist() == [[64, 15, 16]] * 5

    def test_partial_match_doubles_at_every_free_level(self) -> None:
        points, _ = draw_points(np.random.default_rng(0), "uniform", 1024, 2, 0)
        # A coordinate beyond all points takes the same side of every split in the fixed dimension.
        counts = Instrumented(points, leaf_size=1, cyclic=True).partial_match(
            np.array([[2.0, 2.0]]), np.array([True, False])
        )
        # Levels split dimension 0, 1, 0, ...: their nodes visited are 1, 1, 2, 2, 4, 4, 8, 8, 16, 16, then 32 leaves.
        assert counts.tolist() == [[32, 62, 32]]

    def test_exact_match_visits_one_path(self) -> None:
        points, _ = draw_points(np.random.default_rng(0), "uniform", 1024, 2, 0)
        counts = Instrumented(points, leaf_size=1, cyclic=True).partial_match(np.full((1, 2), 2.0), np.ones(2, bool))
        assert counts.tolist() == [[1, 10, 1]]

    def test_self_queries_in_one_dimension_examine_few_points(self) -> None:
        points = np.arange(256.0)[:, None]
        counts = Instrumented(points, leaf_size=1).nearest(points, 1)
        assert counts[:, 0].max() <= 2

    def test_bound_in_the_plane(self) -> None:
        assert examined_bound(2, "linf") == 4
        assert examined_bound(2, "l2") == pytest.approx((math.sqrt(4 / math.pi) + 1) ** 2)


class TestBestBinFirst:
    def setup_method(self) -> None:
        rng = np.random.default_rng(2)
        self.points, self.queries = rng.random((600, 5)), rng.random((40, 5))
        self.counters = Instrumented(self.points, leaf_size=8)
        self.exact = nearest(self.counters.tree, self.queries, 3, "l2")[0]

    def test_without_a_limit_it_is_exact(self) -> None:
        distances, _, counts = self.counters.best_bin_first(self.queries, 3, 600)
        np.testing.assert_allclose(distances, self.exact, rtol=1e-12)
        # Cells are taken in the order of their distance, so that no search examines more than it has to.
        assert np.all(counts[:, 2] <= self.counters.nearest(self.queries, 3)[:, 2])

    @pytest.mark.parametrize("checks", [1, 20, 100])
    def test_limit_is_kept_and_never_helps(self, checks: int) -> None:
        distances, _, counts = self.counters.best_bin_first(self.queries, 3, checks)
        assert counts[:, 0].max() == checks
        assert np.all(distances >= self.exact * (1 - 1e-12))

    def test_few_checks_miss_neighbours(self) -> None:
        distances, _, _ = self.counters.best_bin_first(self.queries, 3, 16)
        assert np.mean(distances[:, 0] > self.exact[:, 0] * (1 + 1e-9)) > 0.05


class TestInputs:
    @pytest.mark.parametrize("data", sorted(set(SOURCES) - {"sift", "many_sift"}))
    def test_shapes_and_reproducibility(self, data: str) -> None:
        first, second = (draw_points(np.random.default_rng(3), data, 300, 3, 20) for _ in range(2))
        assert first[0].shape == (300, 3)
        assert first[1].shape == (20, 3)
        assert np.array_equal(first[0], second[0])
        assert np.array_equal(first[1], second[1])

    def test_unknown_data_is_named(self) -> None:
        with pytest.raises(ValueError, match="unknown data 'spirals'"):
            draw_points(np.random.default_rng(0), "spirals", 1, 1, 1)

    def test_descriptors_of_a_bundled_image(self) -> None:
        from skimage import data

        rows = describe(data.camera()[100:228, 180:308] / 255.0, 0.004 / 3)
        assert rows.shape[1] == 128
        assert len(rows) > 10
        assert np.array_equal(rows, np.round(rows))

    @pytest.mark.parametrize("metric", ["l2", "linf"])
    def test_no_distance_is_close_to_the_radius(self, metric: str) -> None:
        case = {"n": 1000, "d": 3, "m": 200, "k": 8, "search": "range", "metric": metric}
        inputs = make_inputs(np.random.default_rng(4), **case)
        difference = np.abs(inputs["points"] - inputs["queries"][:, None])
        far = np.sqrt((difference**2).sum(axis=2)) if metric == "l2" else difference.max(axis=2)
        assert np.abs(far / inputs["radius"] - 1).min() > 1e-5
        assert 2 < (far < inputs["radius"]).sum(axis=1).mean() < 32


INTERPRETED = """
import numpy as np
import impls.knn.triton_brute as ours
from harness.contract import Case
from harness.worker.checking import check_call
from impls.knn.numpy_brute import knn as naive
from suites.knn.suite import SUITE

ours.BLOCK_Q, ours.BLOCK_N, ours.BLOCK_D, ours.PROGRAMS = 4, 8, 16, 4
nearest = {"m": 3, "k": 2, "search": "nearest"}
for case in (
    {"n": 12, "d": 2, **nearest},
    {"n": 12, "d": 20, **nearest, "k": 1, "data": "far_from_origin"},
    {"n": 100, "d": 2, "m": 9, "k": 4, "search": "range"},
    {"n": 64, "d": 2, "m": 9, "k": 4, "search": "range", "data": "lattice", "radius": 5.0, "closed": False},
    {"n": 64, "d": 2, "m": 9, "k": 4, "search": "range", "data": "lattice", "radius": 2.0, "metric": "linf"},
):
    check = check_call(
        SUITE, ours.knn, Case.of(case), dtype="float32", device="cpu", seed=1, load_naive=lambda: naive
    )
    assert check.right, (case, check.reason)
"""


def test_triton_kernels_in_the_interpreter() -> None:
    environment = {**os.environ, "TRITON_INTERPRET": "1", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", INTERPRETED], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
