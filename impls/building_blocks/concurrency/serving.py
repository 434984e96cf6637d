"""What a process of a team does: take a share of the work, answer, and end when nobody is there any more."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from multiprocessing.connection import Connection

READY = b"+"


def serve(connection: Connection, inherited: Sequence[Connection]) -> None:
    """Answer shares of pieces with the list of their answers, or with what was raised.

    :param inherited: the other processes' connections, which a fork has open as well: as long as it has, nobody would
        see those processes' ends, nor they that of their parent.
    """
    for other in inherited:
        other.close()
    connection.send_bytes(READY)
    while True:
        try:
            share = connection.recv()
        except EOFError:
            return
        try:
            answer: object = [function(*arguments) for function, arguments in share]
        except BaseException as error:
            answer = error
        connection.send_bytes(_packed(answer))


def _packed(answer: object) -> bytes:
    try:
        return pickle.dumps(answer)
    except Exception:  # an error that holds what cannot be pickled
        return pickle.dumps(RuntimeError(f"{type(answer).__name__}: {answer}"))
