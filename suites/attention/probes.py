"""What claims count: memory accesses and products of instrumented runs, published figures, passes over a softmax."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence

import numpy as np

from harness.contract import Implementation, Probe

Values = Mapping[str, Sequence[float]]

# FlashAttention 2022, Fig. 2 left: GPT-2 medium's attention on an A100, forward and backward.
FIGURE_SEQ_LEN, FIGURE_HEAD_DIM, FIGURE_HEADS, FIGURE_BATCH = 1024, 64, 16, 64
FIGURE_GFLOP = {"standard": 66.6, "flash": 75.2}
FIGURE_ITEMSIZE = 2

# TFLOP/s of the forward pass at N = 16k on an H100 SXM, read from the figures of the FlashAttention-3 paper: FA2, FA3.
FORWARD_TFLOP_PER_S = {
    "d=64 full": (324.0, 497.0),
    "d=128 full": (370.0, 648.0),
    "d=128 causal": (335.0, 616.0),
    "d=256 full": (326.0, 756.0),
    "d=256 causal": (298.0, 642.0),
}

TIMED_BLOCKS = 25
SECONDS_PER_BLOCK = 0.03


def _counters(implementation: Implementation | None):  # type: ignore[no-untyped-def]
    if implementation is None or implementation.counters is None:
        raise ValueError("this probe needs an implementation with counters")
    return implementation.counters


def figure_2(
    rng: np.random.Generator,
    implementation: Implementation | None,
    *,
    key_tile: int,
    dropout: bool = False,
    mask: bool = False,
) -> Values:
    """FLOPs and bytes of both algorithms at the figure's shape, counted on one head and multiplied by batch x heads.

    Heads do not share anything, so the multiplication is exact. Matrix elements count as float16.
    """
    count = _counters(implementation)
    shape = (1, 1, FIGURE_SEQ_LEN, FIGURE_HEAD_DIM)
    arrays = tuple(rng.standard_normal(shape).astype(np.float32) for _ in range(4))
    query_tile = min(key_tile, FIGURE_HEAD_DIM)
    standard = count("untiled", *arrays, dropout=dropout, mask=mask)
    flash = count("tiled", *arrays, query_tile=query_tile, key_tile=key_tile)
    copies = FIGURE_BATCH * FIGURE_HEADS
    values: dict[str, Sequence[float]] = {
        "flash_over_standard_flops": [flash.multiply_adds / standard.multiply_adds],
        "standard_over_flash_bytes": [standard.bytes_moved(FIGURE_ITEMSIZE) / flash.bytes_moved(FIGURE_ITEMSIZE)],
        "standard_bytes": [float(copies * standard.bytes_moved(FIGURE_ITEMSIZE))],
        "flash_bytes": [float(copies * flash.bytes_moved(FIGURE_ITEMSIZE))],
    }
    for unit, per_multiply_add in (("flop", 2), ("mac", 1)):
        ratios = [
            FIGURE_GFLOP[name] * 1e9 / (copies * per_multiply_add * traffic.multiply_adds)
            for name, traffic in (("standard", standard), ("flash", flash))
        ]
        values[f"printed_over_counted_{unit}"] = [max(ratios, key=lambda ratio: abs(math.log(ratio)))]
    return values


def main_memory_accesses(
    rng: np.random.Generator,
    implementation: Implementation | None,
    *,
    seq_len: int,
    head_dim: int,
    on_chip_elements: float,
) -> Values:
    """Numbers loaded and stored by the forward pass when ``on_chip_elements`` (M) decide the tile, as in the paper."""
    count = _counters(implementation)
    q, k, v = (rng.standard_normal((1, 1, seq_len, head_dim)).astype(np.float32) for _ in range(3))
    key_tile = math.ceil(on_chip_elements / (4 * head_dim))
    traffic = count("tiled", q, k, v, None, query_tile=min(key_tile, head_dim), key_tile=key_tile)
    return {"accesses": [float(traffic.accesses)]}


def published_ratio(rng: np.random.Generator, implementation: Implementation | None, *, row: str) -> Values:
    """FlashAttention-3 over FlashAttention-2, from the printed TFLOP/s."""
    fa2, fa3 = FORWARD_TFLOP_PER_S[row]
    return {"fa3_over_fa2": [fa3 / fa2]}


def softmax_accesses(rng: np.random.Generator, implementation: Implementation | None, *, width: int) -> Values:
    """Loads and stores per element of a vector of ``width``, of safe and of online softmax.

    The functions that are timed run unchanged as interpreted Python on arrays that count their accesses.
    """
    count = _counters(implementation)
    x = rng.standard_normal((1, width)).astype(np.float32)
    return {name: [count("count", name, x, np.empty_like(x)) / width] for name in ("safe", "online")}


def softmax_time_ratio(rng: np.random.Generator, implementation: Implementation | None, *, width: int) -> Values:
    """Time of safe softmax over time of online softmax, once per block; both run in each block, in random order.

    4000 rows, or as many as make 16 million elements.
    """
    run = _counters(implementation)
    rows = min(4000, max(1, 16_000_000 // width))
    x = rng.standard_normal((rows, width)).astype(np.float32)
    y = np.empty_like(x)
    names = ["safe", "online"]
    for name in names:
        run("run", name, x, y)
    start = time.perf_counter_ns()
    run("run", "safe", x, y)
    repeats = max(1, round(SECONDS_PER_BLOCK * 1e9 / max(1, time.perf_counter_ns() - start)))
    ratios = []
    for _ in range(TIMED_BLOCKS):
        elapsed = {}
        for name in rng.permutation(names):
            start = time.perf_counter_ns()
            for _ in range(repeats):
                run("run", str(name), x, y)
            elapsed[str(name)] = time.perf_counter_ns() - start
        ratios.append(elapsed["safe"] / elapsed["online"])
    return {"safe_over_online": ratios}


PROBES = {
    "figure_2": Probe(figure_2, unit="1"),
    "main_memory_accesses": Probe(main_memory_accesses, unit="numbers", timeout_s=300.0),
    "published_ratio": Probe(published_ratio, unit="1"),
    "softmax_accesses": Probe(softmax_accesses, unit="accesses per element"),
    "softmax_time_ratio": Probe(softmax_time_ratio, unit="1", timeout_s=300.0),
}
