"""What every operation of the installed torch does when it writes into an expanded tensor, as a table.

``python -m tests.truths.in_place_operations`` writes reports/published/in_place_operations.md.
"""

from __future__ import annotations

from pathlib import Path

import torch

from suites.expand.behaviour import ANSWERS, Behaviour
from suites.expand.survey import Finding, find_calls, survey

TABLE = Path(__file__).parents[2] / "reports" / "published" / "in_place_operations.md"
MEANING = {
    "raise": "the error about a single memory location",
    "raise another": "another error",
    "match": "the view holds what a clone would, its base is untouched",
    "differ-base": "the view holds what a clone would, but its base has changed",
    "differ": "the view holds something else, or memory around the base does",
}
Answers = dict[str, dict[str, str]]


def observe(deterministic: bool) -> dict[str, tuple[Finding, ...]]:
    """Findings by group."""
    torch.set_num_threads(1)
    return {
        group: survey(find_calls(group), lambda base, shape: base.expand(shape), deterministic=deterministic)
        for group in ("in place", "out=")
    }


def write_table() -> None:
    usual, strict = observe(False), observe(True)
    lines = [
        "# Writing into an expanded tensor",
        "",
        f"torch {torch.__version__.split('+')[0]}, one thread of a CPU. Every public operation that writes elements of "
        "a tensor, found by introspection, and the worst of what it does over float32, float64, int64 and bool; in "
        "brackets what it does in deterministic mode where that is something else. Made by "
        "`python -m tests.truths.in_place_operations`.",
        "",
        *(f"- `{answer}`: {MEANING[answer]}." for answer in ANSWERS),
        "",
        "With `warn+` in front it warned.",
    ]
    for group, findings in usual.items():
        lines += ["", f"## {group}", ""]
        by_title: dict[str, list[str]] = {}
        for finding, other in zip(findings, strict[group], strict=True):
            title, note = _title(finding.worst), _note(finding.worst)
            also = _title(other.worst)
            changed = f" ({also})" if also != title and other.worst is not None else ""
            by_title.setdefault(title, []).append(f"`{finding.operation.name}`{changed}{note}")
        lines += ["| answer | operations | which |", "|---|---|---|"]
        lines += [f"| `{title}` | {len(names)} | {', '.join(names)} |" for title, names in sorted(by_title.items())]
    TABLE.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _title(worst: Behaviour | None) -> str:
    return worst.title if worst else "not tested"


def _note(worst: Behaviour | None) -> str:
    if worst is None:
        return ""
    notes = ["writes outside the base"] * worst.outside + ["raises after writing"] * worst.wrote
    return f" [{', '.join(notes)}]" if notes else ""


if __name__ == "__main__":
    write_table()
