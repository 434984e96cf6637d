"""What the claims count and compare without a clock: traffic, and equality with the whole batch."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from harness.contract import Implementation, Probe
from suites.data_parallel.reference import reference

DRAWS = 2


def traffic(
    rng: np.random.Generator, implementation: Implementation, workers: int, steps: int = 4, **case: Any
) -> dict[str, list[float]]:
    """What a rank gives to the others in one step, counted while it trains in float32.

    Steps after the first three are counted, since DistributedDataParallel arranges its buckets anew. Each list has one
    number if all ranks and steps agree, else every value that occurred.

    :returns: ``calls``; ``payload_bytes``, handed over to be reduced; ``sent_bytes``, moved to another rank by the
        implementation itself.
    """
    from suites.data_parallel.suite import make_inputs

    if implementation.counters is None:
        raise TypeError(f"{implementation.function.__module__} has no counters")
    inputs = _rounded(make_inputs(rng, workers=workers, steps=steps, **case), "float32")
    counted = implementation.counters(**inputs)[:, 3:]
    names = ("calls", "payload_bytes", "sent_bytes")
    return {name: [float(value) for value in np.unique(counted[..., i])] for i, name in enumerate(names)}


def full_batch_difference(
    rng: np.random.Generator,
    implementation: Implementation,
    data: Literal["regression", "digits"],
    workers: int,
    dtype: str,
    control: Literal["none", "unequal_shards", "sum_loss"] = "none",
) -> dict[str, list[float]]:
    """How far plainly averaged gradients lead from training on the whole batch, after 10 steps.

    Each rank's loss is the mean over its rows. ``digits`` is the network 64-128-128-10 on the handwritten digits,
    ``regression`` has four layers of 32. The controls break what the equality needs: shards of different sizes (2 and
    3 rows), or the sum over the rows in place of the mean.

    :returns: the largest difference of any replica's parameters relative to the largest parameter of the float64
        reference: the larger of two draws as ``largest``, the smaller as ``smallest``.
    """
    from suites.data_parallel.suite import make_inputs

    hidden, depth = (128, 3) if data == "digits" else (32, 4)
    batch = 5 * workers // 2 if control == "unequal_shards" else 32 * workers
    differences = []
    for _ in range(DRAWS):
        drawn = make_inputs(
            rng,
            hidden,
            depth,
            batch=batch,
            workers=workers,
            data=data,
            reduction="sum" if control == "sum_loss" else "mean",
            weigh_shards=False,
        )
        inputs = _rounded(drawn, dtype)
        expected = reference(**inputs)["parameters"]
        *_, (_, _, replicas) = implementation.function(**inputs)
        differences.append(float(np.max(np.abs(replicas - expected)) / np.max(np.abs(expected))))
    return {"largest": [max(differences)], "smallest": [min(differences)]}


def _rounded(inputs: dict[str, Any], dtype: str) -> dict[str, Any]:
    return {
        name: value.astype(dtype) if isinstance(value, np.ndarray) and value.dtype.kind == "f" else value
        for name, value in inputs.items()
    }


PROBES = {
    "traffic": Probe(traffic, unit="per rank and step"),
    "full_batch_difference": Probe(full_batch_difference, unit="1"),
}
