"""What counts as an answer: values exactly, errors where a way of broadcasting may refuse, "too hard" where it may."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np

from harness.contract import Arrays, Inputs

TOO_HARD = 2


def measure_errors(outputs: Arrays, expected: Arrays, inputs: Inputs, kind: str) -> Mapping[str, float]:
    """The share of elements that are not exactly the reference's; all numbers here are whole and small.

    A checker may answer ``TOO_HARD`` where its ``kind`` leaves a layout open (see `left_open`), and nowhere else.
    """
    if not outputs:  # the call ended with the phase "make"
        return {}
    found, right = outputs["value"], expected["value"]
    wrong = found != right
    if inputs["operation"] == "overlap":
        wrong &= ~((found == TOO_HARD) & left_open(inputs["layouts"], kind))
    return {"value": float(wrong.mean()) if wrong.size else 0.0}


def left_open(layouts: np.ndarray, kind: str) -> np.ndarray:
    """Layouts (m,) that a checker of this kind need not decide.

    ``zero_stride``: all that have no zero stride with a size over 1. ``dense``: of these those that are no dense tensor
    with permuted dimensions, which is what torch looks at. ``sorted``: those whose dimensions, by stride, each begin
    within what the smaller ones reach. Any other kind decides everything.
    """
    sizes, strides = layouts[:, 0], layouts[:, 1]
    wide = sizes > 1
    empty = (sizes == 0).any(axis=1)
    without_zero = ~((strides == 0) & wide).any(axis=1)
    if kind == "zero_stride":
        return np.asarray(without_zero | empty)
    if kind not in ("dense", "sorted"):
        return np.zeros(len(layouts), dtype=bool)
    order = np.argsort(np.where(wide, strides, np.iinfo(np.int64).max), axis=1, kind="stable")
    steps, counts = np.take_along_axis(strides, order, 1), np.take_along_axis(sizes, order, 1)
    reach = np.cumsum(np.where(counts > 1, steps * (counts - 1), 0), axis=1)
    before = np.concatenate([np.zeros((len(layouts), 1), dtype=np.int64), reach[:, :-1]], axis=1)
    within = (counts > 1) & ((steps <= before) if kind == "sorted" else (steps != before + 1))
    return np.asarray(without_zero & within.any(axis=1) & ~empty)


def refusals(inputs: Inputs, kind: str) -> Collection[str]:
    """A view may refuse to be written into; what owns its memory may not."""
    if kind == "view" and inputs["operation"] == "write":
        return ("overlap", "read-only")
    return ()
