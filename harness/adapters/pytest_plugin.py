"""pytest plug-in: a stored pytest-benchmark file and an interval decide whether a session's benchmarks became slower.

``pytest --benchmark-only --bakeoff-against FILE`` compares the session with a file that pytest-benchmark wrote
(``--benchmark-json``, or ``--benchmark-autosave --benchmark-save-data``), and fails the session only where the whole
interval of a ratio lies beyond ``--bakeoff-threshold``. The intervals of all benchmarks hold together.

pytest loads this module wherever this distribution is installed, so it imports nothing else until it is asked to
compare. From a plain checkout: ``-p harness.adapters.pytest_plugin``.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from harness.comparing import Comparison
    from harness.history.comparing import Outcome
    from harness.history.entries import History

DEFAULT_PERCENT = 5.0
CAUTION = (
    "Both sides are one process each, measured at different times: what differs from process to process, and a machine "
    "that was slower all along, is not in the intervals. bakeoff gate measures both sides in turn."
)


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("bakeoff", "comparing benchmarks with stored ones by their intervals")
    group.addoption(
        "--bakeoff-against",
        metavar="FILE",
        type=Path,
        help="fail if benchmarks of this session are slower than in FILE, which pytest-benchmark wrote with "
        "--benchmark-json",
    )
    group.addoption(
        "--bakeoff-threshold",
        metavar="PERCENT",
        type=float,
        default=DEFAULT_PERCENT,
        help="how much slower is slower; the whole interval must be beyond it (default: %(default)g)",
    )


def pytest_sessionstart(session: pytest.Session) -> None:
    """Read the file before anything is measured."""
    config = session.config
    file = config.getoption("bakeoff_against")
    if file is None or hasattr(config, "workerinput"):  # a worker of xdist, which measures nothing
        return
    percent = config.getoption("bakeoff_threshold")
    if not 0 < percent < 1000:
        raise pytest.UsageError(f"--bakeoff-threshold {percent:g}: give per cent above 0 and under 1000")
    measuring = getattr(config, "_benchmarksession", None)
    if measuring is None:
        raise pytest.UsageError("--bakeoff-against compares what pytest-benchmark measures: install pytest-benchmark")
    if measuring.disabled or measuring.skip:
        raise pytest.UsageError(
            "--bakeoff-against: benchmarks are switched off here (--benchmark-disable, --benchmark-skip or xdist)"
        )
    config.pluginmanager.register(Gate(_open(file, measuring), measuring, percent / 100), "bakeoff-gate")


def _open(file: Path, measuring: Any) -> History:
    from harness.history.machines import why_not_the_same
    from harness.history.pytest_benchmark_files import session_machine
    from harness.history.sources import Unreadable, open_history

    try:
        base = open_history(file, Path.cwd())
    except Unreadable as error:
        raise pytest.UsageError(f"--bakeoff-against: {error}") from error
    if base.tool != "pytest-benchmark":
        raise pytest.UsageError(f"--bakeoff-against: {base.source} is of {base.tool}, not of pytest-benchmark")
    reason = why_not_the_same(session_machine(measuring.get_machine_info()), base.machine)
    if reason:
        raise pytest.UsageError(f"--bakeoff-against: this session and {base.source} cannot be compared: {reason}")
    return base


class Gate:
    """Compares at the session's end and says so in the summary."""

    def __init__(self, base: History, measuring: Any, threshold: float) -> None:
        self._base = base
        self._measuring = measuring
        self._threshold = threshold
        self._outcome: Outcome | None = None
        self._unread: list[str] = []

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        from harness.history.comparing import compare_entries
        from harness.history.pytest_benchmark_files import read_benchmark
        from harness.shapes import Misfit

        found = []
        for benchmark in self._measuring.benchmarks:
            if benchmark and not benchmark.has_error:
                try:
                    found.append(read_benchmark(benchmark.as_dict()))
                except Misfit as misfit:  # such as a name that is too long for a table
                    self._unread.append(f"{benchmark.fullname[:60]}: {misfit}; not compared")
        self._outcome = compare_entries(self._base.entries, found, self._threshold)
        if self._of("slower") and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self._outcome is None:
            return
        say = terminalreporter.write_line
        terminalreporter.section(f"bakeoff against {self._base.source}, threshold {100 * self._threshold:.3g} %")
        for warning in self._base.warnings:
            say(f"warning: {self._base.source}: {warning}")
        for verdict in ("slower", "faster", "undecided"):
            for comparison in self._of(verdict):
                say(f"{verdict:<9} {_described(comparison)}", red=verdict == "slower")
        counts = ", ".join(f"{len(self._of(each))} {each}" for each in ("slower", "faster", "same", "undecided"))
        say(counts if self._outcome.comparisons else "nothing could be compared")
        for reason in (*self._outcome.left_out, *self._unread):
            say(reason)
        say(CAUTION)

    def _of(self, verdict: str) -> list[Comparison]:
        """The comparisons with that verdict, the dearest first."""
        found = self._outcome.comparisons if self._outcome else ()
        return sorted((each for each in found if each.verdict == verdict), key=lambda each: -each.ratio.value)


def _described(comparison: Comparison) -> str:
    from harness.figures import format_interval

    name = "/".join(filter(None, (comparison.suite, comparison.implementation)))
    ratio = comparison.ratio
    interval = format_interval(ratio.low, ratio.high) or "no interval"
    weak = "".join(f"; {part}" for part in dict.fromkeys(ratio.caution.split("; ")) if part)
    return f"{ratio.value:.3f} ({interval}) {name} {comparison.case}".rstrip() + weak
