"""Whether head really costs the share more that it does more: ``python -m tests.gate_study.truth``.

Long paired runs of every kind and share; writes ``reports/published/gate_study_truth.csv``.
"""

from __future__ import annotations

import dataclasses
import tempfile
from pathlib import Path

import pandas as pd

from harness.gate.deciding import SequentialRule
from harness.gate.engines import GATE
from harness.statistics import paired_ratio
from tests.gate_study.__main__ import SHARES
from tests.gate_study.decide import measure_pair
from tests.gate_study.tools import ROOT
from tests.gate_study.work import KINDS, write_side

STORED = ROOT / "reports" / "published" / "gate_study_truth.csv"
ROUNDS = 12
LONG = dataclasses.replace(GATE, blocks=150, fewest_blocks=150, contestant_s=60.0)
NEVER = 0.0
"""A threshold at which two that are the same stay undecided, so that no look ends the measuring."""


def main() -> None:
    rows = []
    for kind in KINDS:
        for share in SHARES:
            with tempfile.TemporaryDirectory() as folder:
                write_side(Path(folder, "base"), 0)
                write_side(Path(folder, "head"), share)
                rule = SequentialRule(looks=(ROUNDS,))
                series = measure_pair(Path(folder), kind, NEVER, rule, LONG, None)
            ratio = paired_ratio(series.values["head"], series.values["base"])
            holds = ratio.low <= 1 + share / 100 <= ratio.high
            rows.append(
                {"kind": kind, "more_percent": share, "ratio": ratio.value, "low": ratio.low, "high": ratio.high}
                | {"holds": holds, "blocks": len(series.values["head"])}
            )
            print(rows[-1], flush=True)
    STORED.parent.mkdir(parents=True, exist_ok=True)
    pd.DataFrame(rows).to_csv(STORED, index=False, float_format="%.5g")


if __name__ == "__main__":
    main()
