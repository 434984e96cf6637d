"""A worker in an interpreter that was started for it alone, for code that wants other packages than the runner has."""

from __future__ import annotations

import importlib
import json
import sys
from contextlib import suppress
from multiprocessing.connection import Connection

START = "from harness.worker.fresh import main; main()"


def main() -> None:
    """The runner's arguments: descriptors of the worker's and the keeper's connection, order, scratch, packages."""
    connection, control, order, scratch, preload = sys.argv[1:]
    for name in json.loads(preload):  # before the worker looks for thread pools, as in the fork server
        with suppress(ImportError):
            importlib.import_module(name)
    from harness.worker.main import worker_main

    worker_main(Connection(int(connection)), Connection(int(control)), order, scratch)


if __name__ == "__main__":
    main()
