"""Progress on the terminal; plain lines now and then where the output is no terminal."""

from __future__ import annotations

import sys
import time
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as RichProgress

_PLAIN_INTERVAL_S = 15.0


class TerminalProgress:
    """What runs now and how much is done, on standard error."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._done = 0
        self._last_plain = time.monotonic()
        self._console = Console(stderr=True)
        self._bar: RichProgress | None = None
        if self._console.is_terminal:
            self._bar = RichProgress(
                BarColumn(bar_width=20),
                MofNCompleteColumn(),
                TimeElapsedColumn(),
                TextColumn("left"),
                TimeRemainingColumn(),
                TextColumn("{task.description}"),
                console=self._console,
                transient=True,
            )
            self._task = self._bar.add_task("starting", total=total)

    def __enter__(self) -> TerminalProgress:
        if self._bar:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._bar:
            self._bar.stop()

    def step(self, text: str) -> None:
        if self._bar:
            self._bar.update(self._task, description=text)
        elif time.monotonic() - self._last_plain > _PLAIN_INTERVAL_S:
            self._last_plain = time.monotonic()
            print(f"{self._done}/{self._total} trials; {text}", file=sys.stderr, flush=True)

    def advance(self, trials: int) -> None:
        self._done += trials
        if self._bar:
            self._bar.advance(self._task, trials)
