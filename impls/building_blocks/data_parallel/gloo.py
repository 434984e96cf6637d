"""A gloo process group over the loopback interface."""

from __future__ import annotations

import os
import shutil
import tempfile
from datetime import timedelta
from pathlib import Path

import numpy as np
import torch.distributed as dist

from impls.building_blocks.data_parallel.rank import Rank
from suites.data_parallel.settings import Settings

TIMEOUT = timedelta(seconds=60)


class Rendezvous:
    """A private folder with the file through which the ranks find each other; no fixed port is taken."""

    def __init__(self, settings: Settings, dtype: np.dtype) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="data_parallel_"))

    def join(self, rank: Rank, backend: str = "gloo") -> None:
        """Connect this rank with the others."""
        os.environ["GLOO_SOCKET_IFNAME"] = "lo"
        dist.init_process_group(
            backend,
            init_method=f"file://{self.folder / 'store'}",
            rank=rank.number,
            world_size=rank.settings.workers,
            timeout=TIMEOUT,
        )

    def close(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
