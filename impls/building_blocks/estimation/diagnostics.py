"""Convergence and effective draws (Vehtari et al. 2021; Geyer 1992)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.special import ndtri
from scipy.stats import rankdata

LARGEST_RHAT = 1.01
TAILS = (0.05, 0.95)
MOST_DRAWS = 2_000_000
Draw = Callable[[int], np.ndarray]


def split_rhat(draws: np.ndarray) -> float:
    """Potential scale reduction of draws (chains, draws) of which each chain is split in halves."""
    halves = _split(draws)
    length = halves.shape[1]
    within = halves.var(axis=1, ddof=1).mean()
    if within == 0:
        return float("inf")
    between = halves.mean(axis=1).var(ddof=1)
    return float(np.sqrt((length - 1) / length + between / within))


def effective_draws(draws: np.ndarray) -> float:
    """Effective sample size of draws (chains, draws): autocorrelations of split chains, summed as long as the sum of a
    pair of neighbouring lags is positive and falls."""
    halves = _split(draws)
    chains, length = halves.shape
    centred = halves - halves.mean(axis=1, keepdims=True)
    within = centred.var(axis=1, ddof=1).mean()
    if within == 0:
        return 1.0
    padded = 1 << int(2 * length - 1).bit_length()
    spectrum = np.fft.rfft(centred, padded, axis=1)
    covariance = np.fft.irfft(np.abs(spectrum) ** 2, padded, axis=1)[:, :length].mean(axis=0) / length
    total = (length - 1) / length * within + halves.mean(axis=1).var(ddof=1)
    correlation = 1 - (within - covariance) / total
    pairs = correlation[: length // 2 * 2].reshape(-1, 2).sum(axis=1)
    negative = np.flatnonzero(pairs < 0)
    kept = np.minimum.accumulate(pairs[: negative[0] if len(negative) else len(pairs)])
    return float(chains * length / max(2 * kept.sum() - 1, 1 / np.log10(chains * length)))


def bulk_and_tail(draws: np.ndarray) -> tuple[float, float]:
    """Least effective draws of ranks (bulk) and of being below the 5 % and 95 % quantiles (tail), and split R-hat.

    :param draws: (chains, draws, d).
    :returns: the least of both over all coordinates, and the largest R-hat of the ranks.
    """
    least, largest = float("inf"), 0.0
    for j in range(draws.shape[2]):
        each = draws[:, :, j]
        ranks = ndtri((rankdata(each).reshape(each.shape) - 0.375) / (each.size + 0.25))
        tails = (effective_draws((each <= end).astype(np.float64)) for end in np.quantile(each, TAILS))
        least = min(least, effective_draws(ranks), *tails)
        largest = max(largest, split_rhat(ranks))
    return least, largest


def sample_until(draw: Draw, effective: int, first: int) -> np.ndarray:
    """Draws (chains, draws, d) by pieces from ``draw`` until they are enough and the chains agree.

    :param first: draws per chain of the first piece; each further one is as long as the shortfall asks for.
    :raises RuntimeError: two million draws per chain are not enough.
    """
    pieces = [draw(first)]
    while True:
        draws = pieces[0] if len(pieces) == 1 else np.concatenate(pieces, axis=1)
        pieces = [draws]
        least, rhat = bulk_and_tail(draws)
        if least >= effective and rhat <= LARGEST_RHAT:
            return draws
        length = draws.shape[1]
        if length > MOST_DRAWS:
            raise RuntimeError(f"{length} draws per chain have {least:.0f} effective ones and R-hat {rhat:.3f}")
        more = length * min(1.0, max(0.2, 1.1 * effective / max(least, 1.0) - 1))
        pieces.append(draw(int(more)))


def summarised(draws: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Means (d,), and deviations over quantiles (4, d), of draws (chains, draws, d)."""
    flat = draws.reshape(-1, draws.shape[2])
    quantiles = np.quantile(flat, (0.025, 0.5, 0.975), axis=0)
    return flat.mean(axis=0), np.concatenate([flat.std(axis=0, ddof=1)[None], quantiles])


def _split(draws: np.ndarray) -> np.ndarray:
    half = draws.shape[1] // 2
    return np.concatenate([draws[:, :half], draws[:, -half:]])
