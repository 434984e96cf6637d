"""The worker process: made by the fork server, answers one step after another, ends when its runner is gone."""

from __future__ import annotations

import faulthandler
import gc
import json
import multiprocessing
import multiprocessing.process
import os
import resource
import sys
import tempfile
import traceback
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from threadpoolctl import ThreadpoolController

from harness.contract import Unavailable
from harness.instruments import InstrumentUnavailable
from harness.packages import bind_packages
from harness.privacy import this_process
from harness.worker.keeper import EXIT_UNHEARD, fork_worker
from harness.worker.memory_limit import MemoryLimit
from harness.worker.orders import Order
from harness.worker.session import STEPS, Session
from harness.worker.threads import limit_threads

CACHE_FOLDER = ".bakeoff"
# The fork server imports this module last, and nothing after it: what is found here is what a worker begins with.
_PRELOADED = ThreadpoolController()


def worker_main(connection: Connection, control: Connection, order_json: str, scratch: str) -> None:
    """Serve the steps that arrive on ``connection`` until it closes, watched over by a keeper.

    Requests and replies are JSON, never pickles: the code under test shares this process.
    """
    order = Order.from_json(json.loads(order_json))
    output = fork_worker(connection, control, Path(scratch))
    try:
        _isolate(output, Path(scratch))
    except OSError:  # the runner is gone already, and its folder with it
        os._exit(1)
    memory = MemoryLimit(order.trial.device)
    limit_threads(order.trial.threads, _PRELOADED)
    if order.path:
        sys.path[:] = order.path
    bind_packages(Path(order.root), order.packages)
    _keep_compiled_code_apart(order)
    session = Session(order)
    gc.freeze()  # what the fork server imported is not collected again before each sample
    own = os.getpid()
    while True:
        try:
            request = json.loads(connection.recv_bytes())
        except EOFError:
            break
        except OSError:
            os._exit(EXIT_UNHEARD)
        if "side_by_side" in request:
            memory.allow(request["side_by_side"])
        reply = _answer(session, memory, request["step"], request["arguments"])
        if os.getpid() != own:  # a copy of this process that the implementation forked and let return
            os._exit(0)
        try:
            connection.send_bytes(json.dumps(reply).encode())
        except OSError:
            os._exit(EXIT_UNHEARD)
    session.close()


def _answer(session: Session, memory: MemoryLimit, step: str, arguments: dict[str, Any]) -> dict[str, Any]:
    try:
        return {"status": "ok", **STEPS[step](session, **arguments)}
    except (Unavailable, InstrumentUnavailable) as error:
        return {"status": "unavailable", "reason": str(error)}
    except BaseException as error:  # SystemExit and KeyboardInterrupt in a contestant are its failures too
        memory.lift()
        status = "out_of_memory" if _is_out_of_memory(error) else "failed"
        return {"status": status, "reason": _describe(error, session.file)}


def _describe(error: BaseException, file: Path | None) -> str:
    """The error with the innermost place in the implementation's file, without the machine's own folders."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if file is not None and Path(frame.filename) == file]
    place = "".join(f" ({Path(frame.filename).name}:{frame.lineno})" for frame in (own or frames)[-1:])
    try:
        first_line = this_process().text(str(error).strip().split("\n")[0])[:500]
    except Exception as another:  # an error whose text cannot be told
        first_line = f"its text cannot be read, {type(another).__name__}"
    return f"{type(error).__name__}: {first_line}{place}"


def _is_out_of_memory(error: BaseException) -> bool:
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    return isinstance(error, RuntimeError) and "not enough memory" in str(error).lower()


def _isolate(output: int, scratch: Path) -> None:
    """Nothing that the worker prints, crashes with or leaves in files reaches the runner's terminal or folders."""
    os.dup2(output, 1)
    os.dup2(output, 2)
    with Path(os.devnull).open("rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    faulthandler.enable(file=output, all_threads=False)  # still there when the implementation has closed 2
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.chdir(scratch)
    os.environ["TMPDIR"] = tempfile.tempdir = str(scratch)
    multiprocessing.set_start_method(None, force=True)  # the system's own, not that by which this process was made
    config: dict[str, Any] = multiprocessing.process.current_process()._config  # type: ignore[attr-defined]
    config.pop("tempdir", None)  # the runner's, where sockets of this worker's processes would stay
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")


def _keep_compiled_code_apart(order: Order) -> None:
    """Give numba a cache that belongs to exactly these shared files, and torch's compiler one that outlives a worker.

    Numba's own cache looks at the compiled function's file alone and would go on using machine code that an edit in an
    imported file has made stale. Torch's looks at the code, but lies among the temporary files.
    """
    compiled = Path(order.root, CACHE_FOLDER)
    folder = compiled / "numba" / order.shared_code
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:  # a read-only checkout: numba then uses a folder of the user's
        return
    os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", str(compiled / "inductor"))
    os.environ["NUMBA_CACHE_DIR"] = str(folder)
    if "numba" in sys.modules:
        from numba import config

        config.CACHE_DIR = str(folder)  # type: ignore[attr-defined]
