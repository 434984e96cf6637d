"""A gloo process group: over the loopback interface, or over one that the ranks' own network namespaces have."""

from __future__ import annotations

import os
import shutil
import tempfile
from datetime import timedelta
from pathlib import Path

import torch.distributed as dist

TIMEOUT = timedelta(seconds=60)


class Rendezvous:
    """A private folder with the file through which the ranks find each other; no fixed port is taken.

    ``folder`` is given in a rank that is a fresh interpreter: the one that another process made.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or Path(tempfile.mkdtemp(prefix="ranks_"))

    def join(self, rank: int, ranks: int, backend: str = "gloo", interface: str = "lo") -> None:
        """Connect this process, which is number ``rank`` of ``ranks``, with the others."""
        os.environ["GLOO_SOCKET_IFNAME"] = interface
        dist.init_process_group(
            backend, init_method=f"file://{self.folder / 'store'}", rank=rank, world_size=ranks, timeout=TIMEOUT
        )

    def close(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
