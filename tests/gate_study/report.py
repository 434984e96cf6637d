"""The study's table and figure, made of all decisions that are stored."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import binomtest

from harness.environment import describe_machine

_LOADS = {0: "quiet", 1: "loaded"}


def write_report(stored: Path, planned: int) -> None:
    """Write ``gate_study.md`` and ``gate_study.svg`` beside the stored decisions, which are so many when it is done."""
    rows = pd.read_csv(stored)
    machine = describe_machine()
    lines = [
        "# How often gates are wrong",
        "",
        f"{len(rows)} of {planned} decisions on {machine['cpu']}, {machine['cpus']} CPUs, by `make gate-study`,",
        "which goes on where it was stopped. The work is bound",
        "by the interpreter (about 1 ms), by arithmetic (2 ms) or by memory (5 ms); head does exactly 0 to 20 % more",
        "of the same pieces. All tools got the same kinds of pairs in random order, but where `--tool` asked for some",
        "alone. Ours is the gate's measuring and deciding from the start of a process on, without git's checkouts, the",
        "check of all cases and the look at the machine's noise that come before; asv's is without its environments.",
        "Intervals are Clopper and Pearson's with 95 % confidence. That the shares are true was checked by long paired",
        "runs beforehand (`gate_study_truth.csv`).",
        "",
        *_table(wrong(rows)),
        "",
        *_table(found(rows)),
        "",
        *_table(costs(rows)),
        "",
        "![share of decisions that call head slower](gate_study.svg)",
        "",
    ]
    stored.with_suffix(".md").write_text("\n".join(lines), encoding="utf-8")
    draw(rows, stored.with_suffix(".svg"))


def wrong(rows: pd.DataFrame) -> pd.DataFrame:
    """Of identical code: how often it was called different, and how often nothing was decided."""
    table = []
    for (tool, load), group in rows[rows["more_percent"] == 0].groupby(["tool", "load"]):
        different = int(group["verdict"].isin(["slower", "faster"]).sum())
        undecided = int((group["verdict"] == "undecided").sum())
        table.append(
            {
                "identical code": tool,
                "machine": _LOADS[int(load)],
                "called different": _share(different, len(group)),
                "undecided": _share(undecided, len(group)),
            }
        )
    return pd.DataFrame(table)


def found(rows: pd.DataFrame) -> pd.DataFrame:
    """Of a head that does more: how often it was called slower."""
    table = []
    for (tool, load), group in rows[rows["more_percent"] > 0].groupby(["tool", "load"]):
        row = {"more work": tool, "machine": _LOADS[int(load)]}
        for share, part in group.groupby("more_percent"):
            row[f"+{share} % found"] = _share(int((part["verdict"] == "slower").sum()), len(part))
        table.append(row)
    return pd.DataFrame(table).fillna("not tried")


def costs(rows: pd.DataFrame) -> pd.DataFrame:
    """Seconds a decision takes, and how far the ratio that a tool gives is off."""
    off = (np.log(rows["ratio"]) - np.log1p(rows["more_percent"] / 100)).abs()
    table = []
    for (tool, load), group in rows.assign(off=off).groupby(["tool", "load"]):
        table.append(
            {
                "cost": tool,
                "machine": _LOADS[int(load)],
                "decisions": len(group),
                "seconds, mean": f"{group['seconds'].mean():.1f}",
                "longest": f"{group['seconds'].max():.1f}",
                "ratio off by, median": f"{group['off'].median():.1%}",
                "95th percentile": f"{group['off'].quantile(0.95):.1%}",
            }
        )
    return pd.DataFrame(table)


def draw(rows: pd.DataFrame, file: Path) -> None:
    """The share called slower over what head does more, one line a tool, quiet and loaded beside each other."""
    import matplotlib as mpl

    mpl.use("svg")
    import seaborn as sns

    table = []
    for (tool, load, share), group in rows.groupby(["tool", "load", "more_percent"]):
        slower = int((group["verdict"] == "slower").sum())
        table.append({"tool": tool, "machine": _LOADS[int(load)], "more": share, "slower": slower / len(group)})
    grid = sns.relplot(
        pd.DataFrame(table), x="more", y="slower", hue="tool", style="tool", col="machine",
        col_order=["quiet", "loaded"], kind="line", markers=True, dashes=False, palette="colorblind", height=3.4,
        facet_kws={"ylim": (-0.03, 1.03)},
    )  # fmt: skip
    grid.set_axis_labels("head does more by, per cent", "share called slower")
    grid.set_titles("{col_name} machine")
    grid.figure.savefig(file)


def _share(count: int, total: int) -> str:
    interval = binomtest(count, total).proportion_ci(0.95)
    return f"{count} of {total} ({interval.low:.0%} to {interval.high:.0%})"


def _table(table: pd.DataFrame) -> list[str]:
    if table.empty:
        return []
    head = list(table.columns)
    rows = ["| " + " | ".join(str(value) for value in row) + " |" for row in table.to_numpy()]
    return ["| " + " | ".join(head) + " |", "|" + "---|" * len(head), *rows]
