"""A job through joblib, whose workers and pools are its own affair."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

import joblib
import numpy as np

from impls.building_blocks.concurrency.foreign.threads import do
from impls.building_blocks.concurrency.pieces import Piece, in_order, shares_of


def over(backend: Literal["loky", "threading"], pieces: Sequence[Piece], workers: int) -> Iterator[np.ndarray | None]:
    """The phases of one call, of which the first and the last do nothing: joblib starts workers when it needs them."""
    yield None
    tasks = [joblib.delayed(do)(share) for share in shares_of(pieces, workers)]
    yield in_order(list(joblib.Parallel(n_jobs=workers, backend=backend)(tasks)), len(pieces))
    yield None
