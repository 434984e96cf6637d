"""Expressions in another interpreter than this one, timed there by the same loops."""

from __future__ import annotations

import json
import subprocess
from typing import Any

from harness.contract import Inline
from harness.instruments import inline_loops
from harness.instruments.inline_loops import Reading

_ENDING_S = 5.0


class OtherPythonError(RuntimeError):
    """What went wrong in the other interpreter, in its words."""


class OtherPython:
    """A process of another interpreter that evaluates and times expressions, on the CPUs of this one.

    It takes over nothing of this process but the text of the expression, its set-up and its names' values as JSON.
    """

    def __init__(self, python: str) -> None:
        """:param python: the interpreter's program.

        :raises OSError: it cannot be started.
        """
        self._process = subprocess.Popen(
            [python, "-I", inline_loops.__file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )

    def value(self, inline: Inline) -> Any:
        """The expression's value, which must be one that JSON has."""
        return self._ask(do="value", of=_text(inline))

    def prepare(self, inline: Inline) -> None:
        """Make the loops that :meth:`read` times."""
        self._ask(do="prepare", of=_text(inline))

    def read(self, iterations: int, part: int) -> Reading:
        return Reading(*self._ask(do="read", iterations=iterations, part=part))

    def floor_ns(self) -> float:
        return float(self._ask(do="floor"))

    def close(self) -> None:
        """Have the process end; ended by force if it does not."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        try:
            self._process.wait(_ENDING_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()

    def __enter__(self) -> OtherPython:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _ask(self, **order: Any) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps(order) + "\n")
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            raise OtherPythonError(f"the interpreter ended by itself, with exit code {self._process.wait(_ENDING_S)}")
        reply = json.loads(line)
        if "error" in reply:
            raise OtherPythonError(reply["error"])
        return reply["answer"]


def _text(inline: Inline) -> dict[str, Any]:
    return {"expression": inline.expression, "names": dict(inline.names), "setup": inline.setup}
