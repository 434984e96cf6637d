"""A distribution with one entry point, as its folder would lie among installed packages."""

from __future__ import annotations

import tempfile
from pathlib import Path

GROUP = "bakeoff.symbols"
MODULE = "bakeoff_plugin"
SETUP = f"""
import sys
from importlib.metadata import entry_points
from types import ModuleType

sys.path.insert(0, folder)
plugin = sys.modules["{MODULE}"] = ModuleType("{MODULE}")
plugin.f = f
"""
"""The module that the entry point names, already imported and holding ``f``; its ``folder`` must be known."""


def write_distribution() -> Path:
    """A folder that holds the metadata of one distribution; to be put on ``sys.path``."""
    folder = Path(tempfile.mkdtemp(prefix="plugins"))
    metadata = folder / f"{MODULE}-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {MODULE}\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(f"[{GROUP}]\nf = {MODULE}:f\n")
    return folder
