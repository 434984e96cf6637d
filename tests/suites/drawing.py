"""Implementations and inputs of data-parallel training for its tests."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

from harness.contract import Implementation
from suites.data_parallel.suite import make_inputs


def load(name: str) -> Implementation:
    """The registered implementation in ``impls/data_parallel/NAME.py``."""
    implementation = importlib.import_module(f"impls.data_parallel.{name}").train
    assert isinstance(implementation, Implementation)
    return implementation


def draw(seed: int = 0, dtype: str = "float64", **case: Any) -> dict[str, Any]:
    """Inputs of the suite in ``dtype``."""
    inputs = make_inputs(np.random.default_rng(seed), **case)
    return {name: value.astype(dtype) if name == "features" or name == "initial_parameters" else value
            for name, value in inputs.items()} | {
        "targets": inputs["targets"].astype(dtype) if inputs["targets"].dtype.kind == "f" else inputs["targets"]
    }  # fmt: skip
