"""Contestants that misbehave, each with the record that it must become."""

from __future__ import annotations

from dataclasses import dataclass

from tests.runner.leftovers import TOKEN

RIGHT = "yield x.sum() + x.dtype.type(shift)\nyield x - x.mean()"


@dataclass(frozen=True)
class Contestant:
    """Source of an implementation of the suite ``total``, and what its record holds.

    :param header: of the module.
    :param body: of the function.
    :param reason: part of the record's reason.
    :param flags: those that the record must have; ``None``: any.
    """

    header: str
    body: str
    status: str
    reason: str = ""
    flags: tuple[str, ...] | None = None


def harmless(statements: str, *flags: str, imports: str = "import os") -> Contestant:
    """Does something bad in its first call and gives the right answer all the same."""
    body = "\n".join(("CALLS.append(1)", "if len(CALLS) == 1:", *(f"    {line}" for line in statements.splitlines())))
    return Contestant(f"{imports}\nCALLS = []", f"{body}\n{RIGHT}", "ok", flags=flags)


_DAEMON_OF = f"""\
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.execve('/bin/sleep', ['sleep', '{TOKEN}'], {{environment}})
    os._exit(0)"""

_DAEMON = _DAEMON_OF.format(environment={})
_MARKED_DAEMON = _DAEMON_OF.format(environment="os.environ")

LITTERED = "littered"
_LITTER = f"""\
tempfile.mkdtemp()
tempfile.NamedTemporaryFile(delete=False).close()
open('litter', 'w').close()
os.mkdir('closed')
open('closed/file', 'w').close()
os.chmod('closed', 0)
SharedMemory('{TOKEN}{{name}}', True, 4096)
open('{LITTERED}', 'w').close()"""

WRONG: dict[str, Contestant] = {
    "zeros": Contestant("", "yield x.sum() * 0\nyield x * 0", "wrong", "total is off by 1"),
    "shape": Contestant("", "yield x.sum().reshape(1)\nyield x", "wrong", "total has shape (1,), expected ()"),
    "dtype": Contestant("", "yield x.sum().astype('float64') + shift\nyield x", "wrong", "total has dtype float64"),
    "nan": Contestant("", "yield x.sum() * x.dtype.type('nan')\nyield x", "wrong", "total holds NaN"),
    "one_phase": Contestant("", "yield x.sum() + 2", "wrong", "ended before it yielded"),
    "writes": Contestant("", f"x += 1\n{RIGHT}", "wrong", "writes into its input x"),
    "last_answer": Contestant(
        "KEPT = []",
        "KEPT.append((x.sum() + x.dtype.type(shift), x - x.mean()))\nlast = KEPT[-2:][0]\nyield last[0]\nyield last[1]",
        "wrong",
        "after timing, on inputs not seen before: total is off by",
    ),
    "tires": Contestant(
        "CALLS = []",
        "CALLS.append(1)\nyield x.sum() + x.dtype.type(shift) * (len(CALLS) < 4)\nyield x - x.mean()",
        "wrong",
        "after timing, on inputs not seen before",
    ),
}

RAISING: dict[str, Contestant] = {
    "raises": Contestant(
        "", "yield x.sum()\nraise RuntimeError('no <b>luck</b>')", "failed", "RuntimeError: no <b>luck</b> (raises.py:"
    ),
    "raises_deeply": Contestant(
        "import numpy", "yield numpy.linalg.inv(numpy.ones(3))", "failed", "(raises_deeply.py:9)"
    ),
    "unspeakable": Contestant(
        "class Odd(Exception):\n    def __str__(self): raise ValueError('no text')",
        "raise Odd()\nyield 0",
        "failed",
        "Odd: its text cannot be read, ValueError (unspeakable.py:",
    ),
    "leaves": Contestant("import sys", "sys.exit(0)\nyield 0", "failed", "SystemExit: 0 (leaves.py:9)"),
    "interrupts": Contestant("", "raise KeyboardInterrupt\nyield 0", "failed", "KeyboardInterrupt:  (interrupts.py:"),
    "absent": Contestant("import no_such_package", RIGHT, "unavailable", "package no_such_package is not installed"),
    "typo": Contestant("import suites.total.siute", RIGHT, "failed", "'suites.total.siute' (typo.py:2)"),
    "misspelt": Contestant("TABLE = dcit(a=1)", RIGHT, "failed", "name 'dcit' is not defined (misspelt.py:2)"),
    "greedy": Contestant("import numpy", "numpy.ones(2**50)\nyield 0", "out_of_memory", "Unable to allocate"),
    "insatiable": Contestant(
        "import numpy",
        "kept = []\nwhile True:\n    kept.append(numpy.empty(1 << 20))\nyield 0",
        "out_of_memory",
        "Unable to allocate 8.00 MiB",
    ),
}

DYING: dict[str, Contestant] = {
    "segfaults": Contestant(
        "import ctypes",
        "yield ctypes.string_at(0)",
        "crashed",
        "ended by SIGSEGV: Segmentation fault (segfaults.py:9) (in step 'prepare')",
    ),
    "exits": Contestant(
        "import os", "os.write(2, b'farewell\\n')\nos._exit(3)\nyield 0", "crashed", "exited with code 3: farewell"
    ),
    "kills_itself": Contestant(
        "import os", "os.kill(os.getpid(), 9)\nyield 0", "crashed", "ended by SIGKILL, by itself or from outside"
    ),
    "closes_all": Contestant(
        "import os", f"os.closerange(0, 4096)\n{RIGHT}", "crashed", "closed the file descriptors that it answers on"
    ),
    "kills_parent": Contestant(
        "import os, time",
        f"{_MARKED_DAEMON}\ntime.sleep(0.2)\nos.kill(os.getppid(), 9)\ntime.sleep(1000)\nyield 0",
        "crashed",
        "killed together with the process that keeps it",
    ),
    "litters": Contestant(
        "import os, tempfile\nfrom multiprocessing.shared_memory import SharedMemory",
        f"{_LITTER.format(name='litters')}\nos._exit(1)\nyield 0",
        "crashed",
        "exited with code 1",
    ),
    "exhausted_in_c": Contestant(
        "import os",
        "os.write(2, b'terminate called after throwing an instance of std::bad_alloc')\nos.abort()\nyield 0",
        "out_of_memory",
        "ended by SIGABRT for want of memory",
    ),
}

HARMLESS: dict[str, Contestant] = {
    "prints": Contestant("import os\nfor _ in range(1024):\n    os.write(1, b'x' * (1 << 20))", RIGHT, "ok", flags=()),
    "closes_output": harmless("os.close(0)\nos.close(1)\nos.close(2)"),
    "kills_group": harmless("for number in (1, 2, 3, 10, 14, 15):\n    os.killpg(os.getpgid(os.getppid()), number)"),
    "stops_parent": harmless("os.kill(os.getppid(), 19)"),
    "starts_daemons": harmless(f"{_DAEMON}\n{_DAEMON}\nos.wait()\nos.wait()", "left_processes"),
    "starts_children": harmless(
        f"subprocess.Popen(['sleep', '{TOKEN}'])\nsubprocess.Popen(['sleep', '{TOKEN}'], start_new_session=True)",
        "left_processes",
        imports="import subprocess",
    ),
    "returns_twice": harmless("os.fork()"),
    "hangs_at_exit": harmless(
        "atexit.register(time.sleep, 1000)\nthreading.Thread(target=time.sleep, args=(1000,)).start()",
        imports="import atexit, threading, time",
    ),
    "leaves_litter": harmless(
        _LITTER.format(name="leaves_litter"),
        imports="import os, tempfile\nfrom multiprocessing.shared_memory import SharedMemory",
    ),
    "takes_threads": harmless(
        "threadpoolctl.threadpool_limits(4)", "threads_changed", imports="import numpy, threadpoolctl"
    ),
    "takes_cpus": Contestant(
        "import os", f"os.sched_setaffinity(0, range(os.cpu_count()))\n{RIGHT}", "ok", flags=("threads_changed",)
    ),
    "meddles": harmless(
        "os.chdir('/')\nnumpy.random.seed(1)\nrandom.seed(1)\nwarnings.simplefilter('error')\nos.environ.clear()\n"
        "os.umask(0o777)\nsys.path.clear()\ntempfile.tempdir = '/nowhere'\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)",
        imports="import numpy, os, random, signal, sys, tempfile, warnings",
    ),
}

_WITNESS = """\
import os, random, sys, tempfile, warnings
import numpy, threadpoolctl

def state():
    return (
        os.getcwd(), dict(os.environ), numpy.random.get_state()[1].tolist(), random.getstate(), list(warnings.filters),
        list(sys.path), tempfile.gettempdir(), [pool["num_threads"] for pool in threadpoolctl.threadpool_info()],
    )

BEFORE = state()
assert os.environ["TMPDIR"] == tempfile.gettempdir() == os.getcwd() != "/"
assert os.environ["PATH"] and os.environ["OMP_NUM_THREADS"] == "1" and ("error", None) not in [
    entry[:2] for entry in warnings.filters
]
assert set(BEFORE[-1]) == {1}
"""

WITNESS = Contestant(_WITNESS, f"assert state() == BEFORE\n{RIGHT}", "ok", flags=())
"""Right, and fails when it finds anything changed."""

HANGING: dict[str, Contestant] = {
    "slow_import": Contestant("import time\ntime.sleep(1000)", RIGHT, "timeout", "at slow_import.py:3"),
    "loops": Contestant("", "while True: pass\nyield 0", "timeout", "in step 'prepare', at loops.py:9"),
    "loops_in_c": Contestant(
        "import ctypes\nLIBC = ctypes.PyDLL(None)", "LIBC.sleep(1000)\nyield 0", "timeout", "at loops_in_c.py:"
    ),
    "computes_in_c": Contestant("", "7 ** (10**10)\nyield 0", "timeout", "no answer within"),
    "ignores_signals": Contestant(
        "import signal, time",
        "signal.pthread_sigmask(signal.SIG_SETMASK, range(1, 65))\nwhile True: time.sleep(1)\nyield 0",
        "timeout",
        "no answer within",
    ),
    "stops": Contestant("import os", "os.kill(os.getpid(), 19)\nyield 0", "timeout", "no answer within"),
    "hangs_with_litter": Contestant(
        "import os, subprocess, tempfile, time\nfrom multiprocessing.shared_memory import SharedMemory",
        f"{_DAEMON}\nsubprocess.Popen(['sleep', '{TOKEN}'], start_new_session=True)\n"
        f"{_LITTER.format(name='hangs')}\ntime.sleep(1000)\nyield 0",
        "timeout",
        "at hangs_with_litter.py:",
    ),
}
