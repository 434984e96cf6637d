"""The command line. Importing this costs nothing: worker processes import the program's main module again."""

from __future__ import annotations


def main() -> None:
    """Entry point of ``bakeoff`` and ``python -m harness``."""
    from harness.cli.app import start

    start()
