"""The executor of loky that is kept from call to call (the copy of loky that comes with joblib)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from joblib.externals.loky import get_reusable_executor

from impls.building_blocks.concurrency.pieces import Piece
from impls.building_blocks.concurrency.pools import shared_out


def over_reusable_executor(pieces: Sequence[Piece], workers: int) -> Iterator[np.ndarray | None]:
    """The phases of one call: see that the executor has so many workers, work, leave them for the next call."""
    executor = get_reusable_executor(max_workers=workers)
    yield None
    yield shared_out(executor, pieces, workers)
    yield None
