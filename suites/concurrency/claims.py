"""What is said about processes and threads, with the bands fixed before any measurement."""

from __future__ import annotations

from harness.contract import Band, Cell, Claim, CostRatio, CostSlope, MeanRatio, ProbeValue, Scalar, Where

NOTES = "notes, page 003"
SHARED_BY_ALL = ("shared_memory", "mmap")
OWN = ("list", "array", "attribute")
RESIDENT_MB = (0.0, 128.0, 512.0, 1_000.0, 4_000.0)
EMPTY: dict[str, Scalar] = {"task": "empty", "workers": 1}
LOOP: dict[str, Scalar] = {"task": "python", "n": 15_000_000, "workers": 2}
SET = ("python", "dict", "attributes", "calls")
NEVER = Band(high=float("-inf"))


def _where(case: dict[str, Scalar], phase: str = "work") -> Where:
    return Where(case, dtype="float64", phase=phase)


def _trips(cpus: str) -> dict[str, Scalar]:
    return {"task": "ping_pong", "n": 20_000, "workers": 2, "cpus": cpus}


def _creation(method: str) -> Cell:
    return Cell(f"{method} / threads", CostRatio(method, "threads", Where(EMPTY, dtype="float64")), Band(low=10.0))


def _switched(implementation: str) -> Cell:
    return Cell(
        f"control: context switches per round trip, {implementation}, one CPU",
        ProbeValue("switches", "all", {"n": 2_000, "cpus": "one"}, implementation),
        Band(low=1.9),
        refuted_in=NEVER,
    )


def _seen(implementation: str, place: str, expected: float) -> Cell:
    return Cell(
        f"{implementation}, {place.replace('_', ' ')}",
        ProbeValue("visibility", place, {}, implementation),
        Band(expected, expected),
    )


def _against_pipe(label: str, implementation: str) -> Cell:
    where = _where({"task": "transfer", "n": 64_000_000, "workers": 1})
    return Cell(label, CostRatio("pipe", implementation, where), Band(low=5.0))


def _growth(label: str, huge_pages: bool) -> Cell:
    case: dict[str, Scalar] = {**EMPTY, "huge_pages": huge_pages}
    return Cell(label, CostSlope("os_fork", "resident_mb", RESIDENT_MB, _where(case, "total")), Band(low=0.0))


CLAIMS = (
    Claim(
        id="concurrency.1",
        kind="cost",
        statement="Creating a thread takes a far smaller effort than creating a process: a tenth or less.",
        source=NOTES,
        sentence="所以系统在产生一个线程,或是在各个线程之间作切换工作时,负担要比进程小得多,也正因为如此,线程也被称为轻量级进程。",
        cells=tuple(_creation(method) for method in ("fork", "forkserver", "spawn")),
        profile="quick",
        remark="Start and join of an empty target. That 'much smaller' is ten times at least, by the whole interval, "
        "is ours: the source prints no figure. The caller is an interpreter with NumPy, of some 40 MB. The start of "
        "forkserver's own server is in its first call, which is stored apart; spawn imports the target's module and "
        "nothing else of the project.",
    ),
    Claim(
        id="concurrency.2",
        kind="cost",
        statement="Switching between threads takes a far smaller effort than between processes: half or less.",
        source=NOTES,
        sentence="所以系统在产生一个线程,或是在各个线程之间作切换工作时,负担要比进程小得多,也正因为如此,线程也被称为轻量级进程。",
        cells=(
            Cell("fork / threads, one CPU", CostRatio("fork", "threads", _where(_trips("one"))), Band(low=2.0)),
            Cell("fork / threads, two CPUs", CostRatio("fork", "threads", _where(_trips("two"))), Band(low=2.0)),
            Cell(
                "fork / threads handing over by locks, one CPU",
                CostRatio("fork", "thread_locks", _where(_trips("one"))),
                Band(low=2.0),
            ),
            *(_switched(implementation) for implementation in ("threads", "fork", "thread_locks")),
        ),
        remark="20,000 round trips of one byte over two pipes. That processes take twice as much is ours: the source "
        "prints no figure. The controls count that each trip on one CPU switched; where not the claim stays open.",
    ),
    Claim(
        id="concurrency.3",
        kind="result",
        statement="Threads share the heap of their process, while each process has memory of its own.",
        source=NOTES,
        sentence="每个进程都有自己独立的一块内存空间,一个进程可以有多个线程",
        cells=(
            *(_seen("threads", place, 1.0) for place in (*OWN, *SHARED_BY_ALL)),
            *(
                _seen(method, place, float(place in SHARED_BY_ALL))
                for method in ("fork", "forkserver", "spawn")
                for place in (*OWN, *SHARED_BY_ALL)
            ),
            _seen("threads", "own_process", 0.0),
            *(_seen(method, "own_process", 1.0) for method in ("fork", "forkserver", "spawn")),
        ),
        profile="quick",
        remark="1 is seen by the parent after the worker has written, 0 is not. Shared memory and a shared mapping are "
        "the two that processes have in common because they asked for it. Own process: whether the writer was one.",
    ),
    Claim(
        id="concurrency.4",
        kind="cost",
        statement="Because of the interpreter lock two threads compute pure Python hardly faster than one, at most 1.1 "
        "times; two processes do, at least 1.7 times.",
        source="CPython documentation, threading and multiprocessing",
        cells=(
            Cell("serial / threads", CostRatio("serial", "threads", _where(LOOP)), Band(high=1.1), undisturbed=True),
            Cell("serial / fork", CostRatio("serial", "fork", _where(LOOP)), Band(low=1.7), undisturbed=True),
        ),
        remark="15 million steps of a loop over whole numbers, about a second; workers are there before the clock "
        "starts. It stays open where others used the CPUs during a sample. The third arm, the same loop in Numba "
        "without the lock (numba_threads), is in the table.",
    ),
    Claim(
        id="concurrency.5",
        kind="cost",
        statement="Large arrays should go to another process through shared memory, not through a pipe: that is five "
        "times as fast.",
        source="Python documentation, multiprocessing, programming guidelines",
        cells=(
            _against_pipe("64 MB, pickle through a pipe / a new block of shared memory", "shared_memory"),
            _against_pipe("64 MB, pickle through a pipe / a block that has carried an array", "shared_memory_kept"),
        ),
        remark="The documentation prints no figure, the band is ours. Both begin with an array in the sender's memory "
        "and end when the receiver, which has read every page, has answered. Of a new block the system has to fill "
        "every page with zeros first. The table has 1 kB to 1 GB, and a pipe without a pickle beside it.",
    ),
    Claim(
        id="concurrency.6",
        kind="cost",
        statement="A fork takes longer the more memory the parent has resident, since its page tables are copied.",
        source="Linux manual, fork(2)",
        cells=(_growth("pages of 4 KiB", huge_pages=False), _growth("transparent huge pages", huge_pages=True)),
        unit="ns per MB",
        remark="fork, _exit and waitpid beside 0 MB to 4 GB of private memory, every page written to; 1,000 ns per MB "
        "are 1 ms per GB. Where the system refuses huge pages the second cell is as the first.",
    ),
    Claim(
        id="concurrency.7",
        kind="cost",
        statement="The free-threaded build costs 5 to 10 per cent in code with a single thread.",
        source="What's New in Python 3.14",
        cells=(
            Cell(
                "geometric mean over loop, dictionary, attributes and calls",
                MeanRatio(
                    "free_threaded",
                    "cpython_314",
                    tuple(_where({"task": task, "n": 2_000_000, "workers": 1}) for task in SET),
                ),
                Band(1.05, 1.10),
            ),
        ),
        remark="The figure is quoted from the page, unverified. It needs both builds of 3.14, by the same compiler.",
    ),
)
