"""Hamiltonian Monte Carlo in torch, sixteen chains as one tensor, with a tuned step and trajectory."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from harness.contract import implements
from impls.building_blocks.estimation.diagnostics import sample_until, summarised
from impls.building_blocks.estimation.hmc import Sampler
from impls.building_blocks.estimation.targets import Target
from suites.estimation.suite import SUITE

FIRST_DRAWS = 100


@implements(
    SUITE, arrays="torch", devices=("cpu", "cuda"), dtypes=("float64",), kind="sampler", limits={"goal": ("posterior",)}
)
def estimate(
    x: Any, y: Any, model: str, goal: str, prior: Any, unpenalised: int, effective: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    target = Target(torch, x, y, model, prior.cpu().numpy())
    sampler = Sampler(target, x.device, seed)
    draws = sample_until(sampler.draw, effective, FIRST_DRAWS)
    return summarised(target.constrain(torch.from_numpy(draws)).numpy())
