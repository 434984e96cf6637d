"""Scaled dot-product attention, forward and backward: softmax(q kᵀ / sqrt(d)) v, its log-sum-exp and its gradients.

Arrays are (batch, heads, sequence, head_dim), contiguous. The causal rule is aligned to the bottom right: query i sees
key j when j <= i + (Nk - Nq). A query that sees no key has out = 0 and lse = -inf.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.contract import Case, Output, Suite, Tolerance, Work, grid
from suites.attention.claims import CLAIMS
from suites.attention.inputs import make_inputs
from suites.attention.probes import PROBES
from suites.attention.reference import measure_errors, reference

# Half precision by the rule of flash-attn's own tests: twice the error of the naive version in that dtype, three times
# for a gradient. In float32 that rule would be unfair to every tiled backward pass on short causal cases: a row with
# one visible key has dP - D = 0, which the naive version gets exactly and one with D = sum(dO * O) up to rounding.
FORWARD_TOLERANCE = Tolerance({"float32": 2e-6, "float64": 1e-13}, naive_factor=2.0)
GRADIENT_TOLERANCE = Tolerance({"float32": 5e-6, "float64": 1e-12}, naive_factor=3.0)
LARGEST_CHECKED_SEQ_LEN = 2048


def visible_pairs(queries: int, keys: int, causal: bool) -> int:
    """How many (query, key) pairs are not masked, for one head."""
    if not causal:
        return queries * keys
    first, last = max(1, keys - queries + 1), keys
    seeing = last - first + 1
    return (first + last) * seeing // 2


def work(
    itemsize: int,
    batch: int,
    heads: int,
    seq_len: int,
    head_dim: int,
    causal: bool,
    extra_queries: int = 0,
    data: str = "normal",
) -> dict[str, Work]:
    """Two products forward; five backward, since the scores are recomputed. Every tensor crosses memory once."""
    queries, keys = seq_len + extra_queries, seq_len
    product = 2.0 * batch * heads * head_dim * visible_pairs(queries, keys, causal)
    of_queries, of_keys = (float(batch * heads * n * head_dim * itemsize) for n in (queries, keys))
    lse = float(batch * heads * queries * max(4, itemsize))
    return {
        "forward": Work(2 * product, bytes_read=of_queries + 2 * of_keys, bytes_written=of_queries + lse),
        "backward": Work(
            5 * product, bytes_read=3 * of_queries + 2 * of_keys + lse, bytes_written=of_queries + 2 * of_keys
        ),
    }


def check_case(case: Mapping[str, Any]) -> Mapping[str, Any]:
    """Long sequences are checked on shorter ones with the same remainder, large batches on a few heads."""
    seq_len = int(case["seq_len"])
    checked = dict(case)
    if seq_len > LARGEST_CHECKED_SEQ_LEN:
        checked["seq_len"] = LARGEST_CHECKED_SEQ_LEN + seq_len % 128
    if int(case["batch"]) * int(case["heads"]) > 8:
        checked |= {"batch": min(2, int(case["batch"])), "heads": min(4, int(case["heads"]))}
    return checked


def edge(seq_len: int, causal: bool, *, head_dim: int = 64, extra_queries: int = 0, data: str = "normal") -> Case:
    shape = {"batch": 1, "heads": 2, "seq_len": seq_len, "head_dim": head_dim, "causal": causal}
    return Case.of(shape | {"extra_queries": extra_queries, "data": data})


EDGE_CASES = (
    *(edge(seq_len, causal) for seq_len in (1, 63, 65, 127) for causal in (False, True)),
    edge(1000, causal=True),
    *(edge(100, causal=True, head_dim=head_dim) for head_dim in (40, 80, 96)),
    edge(128, causal=True, extra_queries=-65),
    edge(96, causal=False, extra_queries=-95),
    edge(65, causal=True, extra_queries=70),
    edge(65, causal=False, extra_queries=70),
    *(edge(128, causal, data="large_logits") for causal in (False, True)),
    *(edge(300, causal, data="rising_maximum") for causal in (False, True)),
    edge(127, causal=False, data="equal_logits"),
    edge(127, causal=False, data="one_huge_logit"),
)

SUITE = Suite(
    name="attention",
    title="Exact scaled dot-product attention with its log-sum-exp and gradients",
    cases=(
        grid(batch=[1], heads=[2], seq_len=[128, 257, 512], head_dim=[64], causal=[False])
        + grid(batch=[1], heads=[2], seq_len=[257], head_dim=[64], causal=[True])
        + grid("full", batch=[1], heads=[4], seq_len=[256, 512, 1024, 2048, 4096], head_dim=[64], causal=[False, True])
        + grid("full", batch=[1], heads=[8], seq_len=[1000], head_dim=[64, 128], causal=[False, True])
    ),
    make_inputs=make_inputs,
    reference=reference,
    phases={
        "forward": (Output("out", FORWARD_TOLERANCE), Output("lse", FORWARD_TOLERANCE, dtype="accumulator")),
        "backward": tuple(Output(name, GRADIENT_TOLERANCE) for name in ("dq", "dk", "dv")),
    },
    baseline="torch_math",
    naive="torch_naive",
    axis="seq_len",
    work=work,
    edge_cases=EDGE_CASES,
    check_case=check_case,
    measure_errors=measure_errors,
    dtypes={"cpu": ("float32",), "cuda": ("float16", "bfloat16")},
    claims=CLAIMS,
    probes=PROBES,
    call_timeout_s=120.0,
)
