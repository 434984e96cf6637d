"""numpyro's `NUTS`, four vectorised chains in float64 on the CPU; compiling is part of every call."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpyro.infer import MCMC, NUTS

from harness.contract import implements
from impls.building_blocks.estimation.diagnostics import sample_until, summarised
from impls.building_blocks.estimation.targets import Target
from suites.estimation.suite import SUITE

CHAINS, WARM_UP, FIRST_DRAWS = 4, 300, 200


@implements(SUITE, library="numpyro", dtypes=("float64",), kind="sampler", limits={"goal": ("posterior",)})
def estimate(
    x: Any, y: Any, model: str, goal: str, prior: Any, unpenalised: int, effective: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    jax.config.update("jax_enable_x64", True)
    host = Target(np, x, y, model, prior)
    target = Target(jnp, jnp.asarray(x), jnp.asarray(y), model, prior)
    rng = np.random.default_rng(seed)

    def potential(point: Any) -> Any:
        return -target.log_density(point[None])[0]

    sampler = MCMC(
        NUTS(potential_fn=potential),
        num_warmup=WARM_UP,
        num_samples=FIRST_DRAWS,
        num_chains=CHAINS,
        chain_method="vectorized",
        progress_bar=False,
    )
    start = jnp.asarray(host.start() + 0.1 * rng.normal(size=(CHAINS, host.d)))
    sampler.warmup(jax.random.PRNGKey(seed), init_params=start)

    def draw(count: int) -> np.ndarray:
        # Its number of draws is fixed when it is made, and every other number compiles anew.
        pieces = []
        for _ in range(-(-count // FIRST_DRAWS)):
            sampler.run(sampler.post_warmup_state.rng_key)
            sampler.post_warmup_state = sampler.last_state
            pieces.append(np.asarray(sampler.get_samples(group_by_chain=True)))
        return np.concatenate(pieces, axis=1)

    return summarised(host.constrain(sample_until(draw, effective, FIRST_DRAWS)))
