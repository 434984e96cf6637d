"""The project of known work."""

from __future__ import annotations

from pathlib import Path

from harness.config import Project

FOLDER = Path(__file__).parent


def known_project() -> Project:
    """It lies inside the installed package and is never written to."""
    return Project(
        root=FOLDER.parents[1],
        suites=FOLDER / "suites",
        impls=FOLDER / "impls",
        results=Path("results"),
        reports=Path("reports"),
        preload=("numpy",),
    )
