"""Run by another interpreter, with nothing but its standard library: does pure-Python work that is sent to it.

Every line of the standard input is an order, answered by a line of the standard output; it ends with its input.
``{"start": HOW, "workers": N}`` starts threads or sub-interpreters, or neither (``serial``);
``{"task": NAME, "shares": [[[seed, steps], ...], ...]}`` does the share of every worker; ``{"join": true}`` ends them.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from impls.building_blocks.concurrency.foreign import pure
from impls.building_blocks.concurrency.foreign.threads import Share, Threads, do


class Serial:
    """One share after another, in the main thread."""

    def __init__(self, workers: int) -> None:
        """Nobody has to be started."""

    def run(self, shares: list[Share]) -> list[list[int]]:
        return [do(share) for share in shares]

    def join(self) -> None:
        """Nothing was started."""


class Interpreters:
    """Sub-interpreters of this process, each with an interpreter lock of its own (PEP 734, Python 3.14)."""

    def __init__(self, workers: int) -> None:
        from concurrent.futures import InterpreterPoolExecutor  # type: ignore[attr-defined]

        self._executor: Any = InterpreterPoolExecutor(workers)
        for first in [self._executor.submit(pure.wait, number, 0.001) for number in range(workers)]:
            first.result()

    def run(self, shares: list[Share]) -> list[list[int]]:
        tasks = [self._executor.submit(do, share) for share in shares]
        return [task.result() for task in tasks]

    def join(self) -> None:
        self._executor.shutdown()


TEAMS: dict[str, Any] = {"serial": Serial, "threads": Threads, "interpreters": Interpreters}


def main() -> None:
    team: Any = Serial(0)
    for line in sys.stdin:
        order = json.loads(line)
        try:
            answer: object = None
            if "start" in order:
                team = TEAMS[order["start"]](order["workers"])
            elif "task" in order:
                function = pure.OF_STEPS[order["task"]]
                answer = team.run([[(function, tuple(piece)) for piece in share] for share in order["shares"]])
            else:
                team.join()
            reply = {"answer": answer}
        except Exception as error:
            reply = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(reply), flush=True)


if __name__ == "__main__":
    main()
