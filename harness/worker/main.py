"""The worker process: made by the fork server, answers one step after another, ends when its runner is gone."""

from __future__ import annotations

import ctypes
import faulthandler
import gc
import json
import os
import resource
import signal
import sys
import traceback
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import psutil

from harness.contract import Unavailable
from harness.instruments import InstrumentUnavailable
from harness.packages import bind_packages
from harness.worker.orders import Order
from harness.worker.session import STEPS, Session
from harness.worker.threads import limit_threads

_PR_SET_PDEATHSIG = 1
_MEMORY_SHARE = 0.8
CACHE_FOLDER = ".bakeoff"


def worker_main(connection: Connection, order_json: str, log_path: str) -> None:
    """Serve the steps that arrive on ``connection`` until it closes.

    Requests and replies are JSON, never pickles: the code under test shares this process.
    """
    order = Order.from_json(json.loads(order_json))
    try:
        _isolate(Path(log_path))
    except OSError:  # the runner is gone already, and its folder with it
        os._exit(1)
    _limit_memory(order.trial.device)
    limit_threads(order.trial.threads)
    bind_packages(Path(order.root), order.packages)
    _keep_compiled_code_apart(order)
    session = Session(order)
    gc.freeze()  # what the fork server imported is not collected again before each sample
    while True:
        try:
            request = json.loads(connection.recv_bytes())
        except (EOFError, OSError):
            break
        connection.send_bytes(json.dumps(_answer(session, request["step"], request["arguments"])).encode())


def _answer(session: Session, step: str, arguments: dict[str, Any]) -> dict[str, Any]:
    try:
        return {"status": "ok", **STEPS[step](session, **arguments)}
    except (Unavailable, InstrumentUnavailable) as error:
        return {"status": "unavailable", "reason": str(error)}
    except BaseException as error:  # SystemExit and KeyboardInterrupt in a contestant are its failures too
        traceback.print_exc()
        status = "out_of_memory" if _is_out_of_memory(error) else "failed"
        return {"status": status, "reason": _describe(error)}


def _describe(error: BaseException) -> str:
    """The error with the innermost place in its traceback, without the machine's own folders."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""
    first_line = str(error).strip().split("\n")[0][:500]
    return f"{type(error).__name__}: {first_line}{place}"


def _is_out_of_memory(error: BaseException) -> bool:
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    return isinstance(error, RuntimeError) and "not enough memory" in str(error).lower()


def _isolate(log: Path) -> None:
    """Own process group, so that the worker and all it starts can be ended together; output into a file."""
    os.setsid()
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    with log.open("ab", buffering=0) as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    with Path(os.devnull).open("rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    faulthandler.enable(file=2, all_threads=False)
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")


def _keep_compiled_code_apart(order: Order) -> None:
    """Give numba a cache that belongs to exactly these shared files.

    Its own cache looks at the compiled function's file alone and would go on using machine code that an edit in an
    imported file has made stale.
    """
    folder = Path(order.root, CACHE_FOLDER, "numba", order.trial.suite, order.shared_code)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:  # a read-only checkout: numba then uses a folder of the user's
        return
    os.environ["NUMBA_CACHE_DIR"] = str(folder)
    if "numba" in sys.modules:
        from numba import config

        config.CACHE_DIR = str(folder)  # type: ignore[attr-defined]


def _limit_memory(device: str) -> None:
    """Let an allocation fail before the machine runs out of memory.

    Not with a GPU, whose driver maps more address space than it uses.
    """
    if device == "cpu":
        limit = int(psutil.virtual_memory().available * _MEMORY_SHARE)
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
