"""Where a forked worker begins, for a runner that has no use for what workers import."""

from __future__ import annotations

from multiprocessing.connection import Connection


def begin(connection: Connection, control: Connection, order_json: str, scratch: str) -> None:
    """See :func:`harness.worker.main.worker_main`, which the fork server has imported."""
    from harness.worker.main import worker_main

    worker_main(connection, control, order_json, scratch)
