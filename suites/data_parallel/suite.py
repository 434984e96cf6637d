"""Data-parallel training: P workers share each batch, exchange their gradients and take the same step.

Phases: ``start`` makes workers, replicas and connections, ``warm_up`` does the first steps (DistributedDataParallel
arranges its buckets anew after its first), ``train`` the rest and delivers. Time is taken around all ranks: a phase
ends when the slowest has ended. Every rank computes with one thread, whatever the trial allows.

Batch normalisation and dropout are left out: statistics of a shard are not those of the batch, and ranks draw
different masks, so equality with the whole batch is lost by design.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np

from harness.contract import Arrays, Inputs, Output, Suite, Tolerance, Work, grid
from suites.data_parallel.claims import CLAIMS
from suites.data_parallel.probes import PROBES
from suites.data_parallel.reference import reference
from suites.data_parallel.settings import Settings

__all__ = ["SUITE", "Settings"]

TOLERANCE = Tolerance({"float32": 1e-5, "float64": 1e-12})
MIB = 2**20
DISTINCT_BATCHES = 4
BFLOAT16_ROUND_OFF = 2.0**-8
TWO_WORKERS: dict[str, list[float]] = {"workers": [2], "bucket_cap_mb": [25.0]}


def make_inputs(
    rng: np.random.Generator,
    hidden: int,
    depth: int,
    batch: int,
    workers: int,
    data: Literal["regression", "digits"] = "regression",
    steps: int = 10,
    bucket_cap_mb: float = 25.0,
    reduction: Literal["mean", "sum"] = "mean",
    micro_batches: int = 1,
    tied: bool = False,
    unused: bool = False,
    weigh_shards: bool = True,
) -> Inputs:
    """Rows to train on and a network to begin with.

    ``regression``: normal features (rows, hidden), targets tanh(features A) plus noise of deviation 0.1, a network of
    ``depth`` layers hidden x hidden. ``digits``: the handwritten digits in a random order, 64 -> hidden -> 10 classes.
    Weights are normal with variance 1 / columns, so that tanh neither saturates nor dies out over many layers.
    """
    features, targets = _rows(rng, data, hidden, batch)
    in_features, out_features = features.shape[1], hidden if data == "regression" else 10
    settings = Settings(
        in_features=in_features,
        hidden=hidden,
        depth=depth,
        out_features=out_features,
        batch=batch,
        workers=workers,
        steps=steps,
        warm_up_steps=min(3, steps - 1),
        learning_rate=0.5 if data == "regression" else 0.1,
        momentum=0.9,
        loss="mse" if data == "regression" else "cross_entropy",
        reduction=reduction,
        micro_batches=micro_batches,
        bucket_cap_bytes=int(bucket_cap_mb * MIB),
        tied=tied,
        unused=unused,
        weigh_shards=weigh_shards,
    )
    if reduction == "sum":
        terms = batch * (out_features if data == "regression" else 1)
        settings = Settings(**{**vars(settings), "learning_rate": settings.learning_rate / terms})
    initial = np.concatenate(
        [
            part
            for rows, columns in settings.layer_shapes()
            for part in (rng.normal(size=rows * columns) / np.sqrt(columns), 0.1 * rng.normal(size=rows))
        ]
    )
    return {"features": features, "targets": targets, "initial_parameters": initial, "settings": settings}


def _rows(rng: np.random.Generator, data: str, hidden: int, batch: int) -> tuple[np.ndarray, np.ndarray]:
    if data == "digits":
        from suites.data_parallel.data import digits

        pixels, classes = digits()
        order = rng.permutation(len(pixels))
        return pixels[order], classes[order]
    features = rng.normal(size=(DISTINCT_BATCHES * batch, hidden))
    mixed = features @ rng.normal(size=(hidden, hidden)) / np.sqrt(hidden)
    return features, np.tanh(mixed) + 0.1 * rng.normal(size=mixed.shape)


def measure_errors(outputs: Arrays, expected: Arrays, inputs: Inputs, kind: str) -> Mapping[str, float]:
    """Largest difference relative to the largest value; replicas that are not equal bit for bit are wrong altogether.

    ``bfloat16`` (gradients travel in bfloat16): rounding P addends and their partial sums may change a sum of
    gradients by P units of rounding of the addends, whose sizes add up to more than their sum. The way from the
    initial parameters and the loss curve may thus be off by 2 P units of rounding relative to their largest value.
    The figure returned is in units of the limit of the dtype: half the limit is half of what rounding may cost.
    """
    errors = {name: _relative(outputs[name], expected[name]) for name in outputs}
    if kind == "bfloat16":
        allowed = 2 * inputs["settings"].workers * BFLOAT16_ROUND_OFF
        limit = TOLERANCE.limits[str(outputs["parameters"].dtype)]
        start = inputs["initial_parameters"].astype(np.float64)
        moved = {name: start if name != "losses" else 0.0 for name in outputs}
        errors = {
            name: limit / allowed * _relative(outputs[name] - moved[name], expected[name] - moved[name])
            for name in outputs
        }
    replicas = np.ascontiguousarray(outputs["rank_parameters"])
    if any(replica.tobytes() != replicas[0].tobytes() for replica in replicas[1:]):
        errors["rank_parameters"] = float("inf")
    return errors


def _relative(output: np.ndarray, expected: np.ndarray) -> float:
    difference = np.max(np.abs(output.astype(np.float64) - expected), initial=0.0)
    scale = np.max(np.abs(expected), initial=0.0)
    found = float(difference / scale if scale > 0 else difference)
    return found if np.isfinite(found) else float("inf")


def work(itemsize: int, hidden: int, depth: int, batch: int, steps: int = 10, **others: Any) -> Mapping[str, Work]:
    """Two operations per weight and row forward, four backward, and the update; every array read and written once.

    Of the communication nothing counts as least work: one worker needs none.
    """
    weights = depth * hidden**2
    if others.get("data") == "digits":
        weights = 64 * hidden + max(depth - 2, 0) * hidden**2 + 10 * hidden
    warm_up = min(3, steps - 1)

    def of(step_count: int) -> Work:
        flops = step_count * weights * (6.0 * batch + 4.0)
        touched = itemsize * float(weights + step_count * 2 * batch * hidden)
        return Work(flops=flops, bytes_read=touched, bytes_written=itemsize * float(weights))

    return {"start": Work(0.0), "warm_up": of(warm_up), "train": of(steps - warm_up)}


def check_case(case: Mapping[str, Any]) -> Mapping[str, Any]:
    """Fewer rows and steps where float64 would take long; network, workers and buckets stay as they are."""
    if case["hidden"] < 512:
        return case
    return {**case, "batch": min(case["batch"], 32), "steps": 4}


SUITE = Suite(
    name="data_parallel",
    title="Data-parallel SGD training of a multi-layer perceptron with P workers",
    cases=(
        grid(hidden=[32, 64, 128], depth=[4], batch=[128], **TWO_WORKERS)
        + grid("full", hidden=[16, 32, 64, 128, 256, 512, 1024], depth=[16], batch=[128], **TWO_WORKERS)
        + grid("full", hidden=[256], depth=[6], batch=[128], workers=[1, 4], bucket_cap_mb=[25.0])
        + grid("full", hidden=[16], depth=[64], batch=[32], **TWO_WORKERS)
        + grid("full", hidden=[1024], depth=[4], batch=[512], **TWO_WORKERS)
        + grid("full", hidden=[1024], depth=[8], batch=[64], workers=[2], bucket_cap_mb=[0.0001, 1.0, 25.0, 1000.0])
        + grid("full", hidden=[1024], depth=[8], batch=[32], workers=[1], bucket_cap_mb=[25.0])
    ),
    make_inputs=make_inputs,
    reference=reference,
    phases={
        "start": (),
        "warm_up": (),
        "train": (
            Output("parameters", TOLERANCE),
            Output("losses", TOLERANCE, dtype="float64"),
            Output("rank_parameters", TOLERANCE),
        ),
    },
    baseline="serial",
    several_cpus=True,
    naive="numpy_full_batch",
    axis="hidden",
    work=work,
    check_case=check_case,
    measure_errors=measure_errors,
    edge_cases=(
        grid(hidden=[5], depth=[3], batch=[8], workers=[1], steps=[3])
        + grid(hidden=[5], depth=[3], batch=[7], workers=[2], steps=[3])
        + grid(hidden=[3], depth=[2], batch=[3], workers=[4], steps=[3])
        + grid(hidden=[5], depth=[3], batch=[8], workers=[2], steps=[3], reduction=["sum"], bucket_cap_mb=[0.0])
        + grid(hidden=[5], depth=[3], batch=[8], workers=[2], steps=[3], unused=[True], bucket_cap_mb=[0.0002])
        + grid(hidden=[5], depth=[5], batch=[8], workers=[2], steps=[3], tied=[True], bucket_cap_mb=[0.0002])
        + grid(hidden=[5], depth=[3], batch=[9], workers=[2], steps=[3], micro_batches=[3])
        + grid(hidden=[8], depth=[3], batch=[10], workers=[3], steps=[3], data=["digits"])
    ),
    cast=("features", "targets", "initial_parameters"),
    dtypes={"cpu": ("float32",), "cuda": ("float32",)},
    claims=CLAIMS,
    probes=PROBES,
)
