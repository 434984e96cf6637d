"""``bakeoff run --dry-run``: what would be measured, and why."""

from __future__ import annotations

import json
from collections import Counter

from harness.runner.resuming import Remainder


def show_remainder(left: Remainder, as_json: bool) -> None:
    """One line per contestant, case and instrument, however many rounds of it are due."""
    rounds = Counter(
        (trial.suite, trial.implementation, trial.case, trial.device, trial.dtype, trial.threads, what, reason)
        for trial, reason in left.reasons.items()
        for what in [trial.probe or trial.instrument]
    )
    names = ("suite", "implementation", "case", "device", "dtype", "threads", "instrument", "reason")
    if as_json:
        rows = [dict(zip(names, key, strict=True)) | {"case": dict(key[2]), "rounds": n} for key, n in rounds.items()]
        document = {"kept": len(left.kept), "superseded": len(left.superseded), "trials": rows}
        print(json.dumps(document, indent=1))
        return
    for (suite, implementation, case, device, dtype, threads, what, reason), count in rounds.items():
        name = f"{suite}/{implementation}" if implementation else suite
        times = f" x {count}" if count > 1 else ""
        print(f"{name} [{case.label}] {dtype} {device} {threads} thread(s) {what}{times}: {reason}")
    print(
        f"{len(left.reasons)} trials would run; {len(left.kept)} records still hold"
        + (f", {len(left.superseded)} do not" if left.superseded else "")
    )
