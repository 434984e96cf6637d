"""The reading of records under libFuzzer: ``python -m tests.torture.fuzz_atheris --seconds 150``; needs ``atheris``.

What counts as failed, the first files and how they are changed are those of :mod:`tests.torture.fuzz_records`; what is
reached is counted by libFuzzer in the code of ``harness``. The fuzzer ends its process, so it runs in a child. One JSON
line is printed: executions, edges of the code reached, files kept, what failed.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import random
import re
import subprocess
import sys
import tempfile
from pathlib import Path

FAILED = "FAILED: "


def main() -> None:
    parser = argparse.ArgumentParser(description="Fuzz the reading of records with atheris")
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1, help="libFuzzer draws one where it is 0")
    parser.add_argument("--corpus", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.corpus:
        fuzz(arguments.corpus, arguments.seconds, arguments.seed)
    if importlib.util.find_spec("atheris") is None:
        raise SystemExit("atheris is not installed: pip install atheris")
    with tempfile.TemporaryDirectory() as folder:
        from tests.torture.fuzz_records import seeds

        for number, text in enumerate(seeds()):
            (Path(folder) / str(number)).write_bytes(text)
        command = [
            sys.executable, "-m", __spec__.name, "--corpus", folder, "--seconds", str(arguments.seconds),
            "--seed", str(arguments.seed),
        ]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
        found = {repr(file.read_bytes()[:300]) for file in Path(folder).glob("crash-*")}
    outcome = summary(done.stdout + done.stderr)
    print(json.dumps({"target": "reading records, libFuzzer", "seed": arguments.seed} | outcome))
    if done.returncode != 0 or outcome["failures"] or not outcome["executions"]:
        raise SystemExit(f"exit code {done.returncode} at {found or done.stderr[-300:]}")


def fuzz(corpus: Path, seconds: int, seed: int) -> None:
    """Fuzz until the time is over, or something fails; ends the process."""
    import atheris

    with atheris.instrument_imports(include=["harness"]):
        from tests.torture import fuzz_records
    first = fuzz_records.seeds()

    def once(text: bytes) -> None:
        if failure := fuzz_records.failure_of(text):
            raise RuntimeError(f"{FAILED}{failure}")

    def mutate(text: bytes, longest: int, number: int) -> bytes:
        rng = random.Random(number)
        if rng.random() < 0.5:
            return bytes(atheris.Mutate(text, longest))
        return fuzz_records.mutant(rng, text, first)[:longest]

    options = [f"-max_total_time={seconds}", f"-seed={seed}", f"-max_len={fuzz_records.LONGEST_INPUT_BYTES}"]
    options += ["-print_final_stats=1", f"-artifact_prefix={corpus}/", str(corpus)]
    atheris.Setup([sys.argv[0], *options], once, custom_mutator=mutate)
    atheris.Fuzz()


def summary(said: str) -> dict[str, object]:
    """What libFuzzer's own words come to."""

    def last(pattern: str) -> int:
        found = re.findall(pattern, said)
        return int(found[-1]) if found else 0

    return {
        "executions": last(r"number_of_executed_units: (\d+)"),
        "edges": last(r"cov: (\d+)"),
        "corpus": last(r"corp: (\d+)"),
        "failures": re.findall(rf"{FAILED}(.*)", said),
    }


if __name__ == "__main__":
    main()
