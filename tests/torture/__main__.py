"""The long campaigns, one after another, and the report of what was tried, how often, and what was lost.

``python -m tests.torture`` takes about half an hour and writes ``reports/published/torture.md``.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from harness.environment import describe_machine

ROOT = Path(__file__).parents[2]
REPORT = ROOT / "reports" / "published" / "torture.md"

PROGRAMS: Mapping[str, tuple[str, ...]] = {
    "SIGKILL of the program at a random moment, then `run --resume`": ("tests.torture.kill", "--kills", "100"),
    "signals to workers, keepers and the fork server": ("tests.torture.contestants", "100"),
    "mutated and made-up records given to the loader": ("tests.torture.fuzz_records", "--seconds", "150"),
    "the same, guided by libFuzzer": ("tests.torture.fuzz_atheris", "--seconds", "150"),
}
TESTS: Mapping[str, tuple[str, ...]] = {
    "contestants that misbehave": ("tests/runner",),
    "full disk, removed folder, second writer, torn lines": ("tests/test_writing.py",),
    "Ctrl-C once and twice, a program that stood still, two runs at once": ("tests/cli/test_interrupting.py",),
    "hostile, broken, old, new and foreign files": ("tests/loading", "tests/test_privacy.py"),
}
TEST_REPEATS = 2
_COUNTS = ("kills", "executions", "signals", "rounds")


def main() -> None:
    rows = [_program(what, command) for what, command in PROGRAMS.items()]
    rows += [_tests(what, paths) for what, paths in TESTS.items()]
    machine = describe_machine()
    lines = [
        "# What was done to the harness, and what was lost",
        "",
        f"Taken {datetime.now(UTC):%Y-%m-%d} on {machine['cpu']}, {machine['cpus']} CPUs, {machine['os']}, "
        f"Python {machine['python']}, by `make torture`.",
        "",
        "| what | how often | lost | details |",
        "|---|---|---|---|",
        *(f"| {row['what']} | {row['often']} | {row['lost']} | {row['details']} |" for row in rows),
        "",
    ]
    REPORT.parent.mkdir(parents=True, exist_ok=True)
    REPORT.write_text("\n".join(lines), encoding="utf-8")
    print("\n".join(lines))
    sys.exit(0 if all(row["lost"] == "nothing" for row in rows) else 1)


def _program(what: str, command: tuple[str, ...]) -> dict[str, str]:
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, check=False, timeout=7200
    )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1]) if done.stdout.strip() else {}
    counts = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in found.items() if type(value) is int)
    often = next((str(found[name]) for name in _COUNTS if isinstance(found.get(name), int)), "not finished")
    said = " ".join([done.stderr.strip()[-200:], *map(str, found.get("messages", []))]).replace("|", "/")
    lost = "nothing" if done.returncode == 0 else f"exit code {done.returncode}: {' '.join(said.split())[:500]}"
    return {"what": what, "often": often, "lost": lost, "details": counts}


def _tests(what: str, paths: tuple[str, ...]) -> dict[str, str]:
    failed, last = 0, ""
    named: list[str] = []
    for _ in range(TEST_REPEATS):
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *paths],
            cwd=ROOT, capture_output=True, text=True, check=False, timeout=3600,
        )  # fmt: skip
        if done.returncode != 0:
            failed += 1
            named += [line for line in done.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
        last = done.stdout.strip().splitlines()[-1] if done.stdout.strip() else done.stderr.strip()[-200:]
    lost = "nothing" if not failed else f"{failed} of {TEST_REPEATS} repeats failed: {' '.join(named)[:500]}"
    return {"what": what, "often": f"{TEST_REPEATS} x", "lost": lost, "details": f"`{' '.join(paths)}`: {last}"}


if __name__ == "__main__":
    main()
