"""Hamiltonian Monte Carlo with all chains in one tensor (Neal 2011, section 5.3)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch

from impls.building_blocks.estimation.targets import Target

CHAINS = 16
WANTED_ACCEPTANCE = 0.75
TUNING_TURNS, WARM_UP = 60, 40
QUARTER_PERIOD = math.pi / 2
MOST_LEAPS = 256


class Sampler:
    """Chains (chains, d) of a target; ``evaluations`` counts gradients of single points.

    While it is tuned, the step follows the acceptance with changes that shrink. A trajectory is as long as a quarter of
    the period along the widest direction, times a random factor from 0.8 to 1.2, so that no period is met exactly.
    """

    def __init__(self, target: Target, device: Any, seed: int) -> None:
        self._target = target
        self._generator = torch.Generator(device=device).manual_seed(seed)
        start = torch.as_tensor(target.start(), device=device)
        self._state = start + 0.1 * self._normal((CHAINS, target.d), device)
        self._step, self._leaps = 0.5 / target.d**0.25, 4
        self._value, self._gradient = target.with_gradient(self._state)
        self.evaluations = CHAINS
        self._tune()

    def draw(self, count: int) -> np.ndarray:
        """The next draws (chains, count, d)."""
        return torch.stack([self._advance()[0] for _ in range(count)], dim=1).cpu().numpy()

    def _normal(self, shape: tuple[int, ...], device: Any) -> torch.Tensor:
        return torch.randn(shape, generator=self._generator, device=device, dtype=torch.float64)

    def _tune(self) -> None:
        kept: list[torch.Tensor] = []
        for turn in range(1, TUNING_TURNS + WARM_UP + 1):
            state, accepted = self._advance()
            kept.append(state)
            if turn <= TUNING_TURNS:
                self._step *= math.exp((accepted - WANTED_ACCEPTANCE) * 2 / math.sqrt(turn))
            if turn % 20 == 0 and turn <= TUNING_TURNS:
                recent = torch.cat(kept[-20:])
                widest = math.sqrt(
                    max(float(torch.linalg.eigvalsh(torch.cov(recent.T).reshape(state.shape[1], -1))[-1]), 1e-300)
                )
                self._leaps = max(1, min(MOST_LEAPS, round(QUARTER_PERIOD * widest / self._step)))

    def _advance(self) -> tuple[torch.Tensor, float]:
        """One trajectory of every chain: the state (chains, d) after it, and the mean acceptance."""
        position, gradient, step = self._state, self._gradient, self._step
        momentum = self._normal(tuple(position.shape), position.device)
        before = self._value - momentum.square().sum(dim=1) / 2
        jitter = 0.8 + 0.4 * float(torch.rand((), generator=self._generator, device=position.device))
        for _ in range(max(1, round(self._leaps * jitter))):
            momentum = momentum + step / 2 * gradient
            position = position + step * momentum
            value, gradient = self._target.with_gradient(position)
            momentum = momentum + step / 2 * gradient
            self.evaluations += len(position)
        change = value - momentum.square().sum(dim=1) / 2 - before
        change = torch.where(torch.isfinite(change), change, torch.full_like(change, -math.inf))
        uniform = torch.rand(len(change), generator=self._generator, device=change.device, dtype=torch.float64)
        taken = uniform.log() < change
        self._state = torch.where(taken[:, None], position, self._state)
        self._gradient = torch.where(taken[:, None], gradient, self._gradient)
        self._value = torch.where(taken, value, self._value)
        return self._state, float(change.clamp(max=0).exp().mean())
