"""Exit codes and failures of the command line."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum


class ExitCode(IntEnum):
    """Part of the program's contract."""

    OK = 0
    FOUND = 1
    """What the command looks for was found: a wrong answer, a failed trial, a regression."""
    USAGE = 2
    UNFINISHED = 3
    """The machine or the environment did not let it finish."""
    UNDECIDED = 4
    INTERRUPTED = 130


class Failure(Exception):
    """The command cannot go on; shown without a traceback."""

    def __init__(self, message: str, code: ExitCode = ExitCode.USAGE) -> None:
        super().__init__(message)
        self.message = message
        self.code = code


@contextmanager
def user_errors() -> Iterator[None]:
    """Turn the errors that a user can mend into failures with the right exit code."""
    from harness.config import ConfigError
    from harness.discovery import DiscoveryError, SelectionError
    from harness.store import StoreError

    try:
        yield
    except (ConfigError, SelectionError, DiscoveryError) as error:
        raise Failure(str(error)) from error
    except StoreError as error:
        raise Failure(str(error), ExitCode.UNFINISHED) from error


def choose(name: str, value: str, allowed: tuple[str, ...]) -> str:
    """``value`` if it is allowed.

    :raises Failure: with the nearest that is.
    """
    if value in allowed:
        return value
    import difflib

    near = difflib.get_close_matches(value, allowed, n=1, cutoff=0.4)
    hint = f"did you mean {near[0]!r}?" if near else f"choose one of {', '.join(allowed)}"
    raise Failure(f"{name} {value!r} is unknown; {hint}")


def say_error(message: str) -> None:
    print(f"bakeoff: {message}", file=sys.stderr)
