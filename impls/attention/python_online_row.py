"""Online softmax over plain lists, one query row at a time (Milakov & Gimelshein 2018, Algorithm 3, with values)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from operator import mul
from typing import Any

from harness.contract import implements
from suites.attention.suite import SUITE

Matrix = list[list[float]]


@implements(
    SUITE,
    arrays="python",
    dtypes=("float32", "float64"),
    phases=("forward",),
    limits={"batch": 1, "heads": 2, "seq_len": 128},
)
def attention(
    q: list[list[Matrix]], k: list[list[Matrix]], v: list[list[Matrix]], grad_out: list[list[Matrix]], causal: bool
) -> Iterator[tuple[Any, ...]]:
    """Nested lists (B, H, N, d) in, nested lists out. Five products backward would take whole seconds."""
    out: list[list[Matrix]] = []
    lse: list[Matrix] = []
    for q_heads, k_heads, v_heads in zip(q, k, v, strict=True):
        heads = [
            [_row(i, *head, causal) for i in range(len(head[0]))]
            for head in zip(q_heads, k_heads, v_heads, strict=True)
        ]
        out.append([[row for row, _ in head] for head in heads])
        lse.append([[log_sum for _, log_sum in head] for head in heads])
    yield out, lse


def _row(i: int, q: Matrix, k: Matrix, v: Matrix, causal: bool) -> tuple[list[float], float]:
    """out (d) and the log-sum-exp of query i in a single pass over the keys that it sees, the first ones."""
    seen = max(0, min(len(k), i + len(k) - len(q) + 1)) if causal else len(k)
    query, scale = q[i], 1.0 / math.sqrt(len(q[i]))
    largest, total, acc = -math.inf, 0.0, [0.0] * len(query)
    for j in range(seen):
        s = sum(map(mul, query, k[j])) * scale
        if s > largest:
            shrink = math.exp(largest - s)
            total *= shrink
            acc = [a * shrink for a in acc]
            largest = s
        p = math.exp(s - largest)
        total += p
        acc = [a + p * x for a, x in zip(acc, v[j], strict=True)]
    if total == 0.0:
        return acc, -math.inf
    return [a / total for a in acc], largest + math.log(total)
