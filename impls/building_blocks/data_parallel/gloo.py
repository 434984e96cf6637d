"""A gloo process group of the workers over the loopback interface."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from impls.building_blocks.data_parallel.rank import Rank
from impls.building_blocks.ranks import gloo
from suites.data_parallel.settings import Settings


class Rendezvous:
    """Where the workers find each other."""

    def __init__(self, settings: Settings, dtype: np.dtype, folder: Path | None = None) -> None:
        self._place = gloo.Rendezvous(folder)
        self.folder = self._place.folder

    def join(self, rank: Rank, backend: str = "gloo") -> None:
        """Connect this rank with the others."""
        self._place.join(rank.number, rank.settings.workers, backend)

    def close(self) -> None:
        self._place.close()
