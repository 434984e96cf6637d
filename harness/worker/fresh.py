"""A worker in an interpreter that was started for it alone, for code that wants other packages than the runner has."""

from __future__ import annotations

import json
import sys
from multiprocessing.connection import Connection

from harness.worker.preloading import preload

START = "from harness.worker.fresh import main; main()"


def main() -> None:
    """The runner's arguments: descriptors of the worker's and the keeper's connection, order, scratch, packages."""
    connection, control, order, scratch, names = sys.argv[1:]
    preload(json.loads(names))  # before the worker looks for thread pools, as in the fork server
    from harness.worker.main import worker_main

    worker_main(Connection(int(connection)), Connection(int(control)), order, scratch)


if __name__ == "__main__":
    main()
