"""The findings as a comment on a pull request: the verdict, what moved, and the rest folded away."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from harness.gate import wording
from harness.gate.results import Compared, Fault, Findings
from harness.printable import printable

MARK = "<!-- bakeoff gate -->"
"""By which a job finds the comment that it wrote before."""
_SIGNS = {"slower": "🔴", "faster": "🟢", "same": "⚪", "undecided": "🟡"}
_MOST_FAULTS = 20
_MARKUP = re.compile(r"[^\w .,;=()+/%'-]|_", re.ASCII)
# A renderer looks for names of people and of issues after it has read entities; a mark of no width stops it.
_REFERENCE = re.compile("(&#(?:35|64);)")


def to_markdown(findings: Findings) -> str:
    """The whole comment. Names and messages of the code under test stand in it as code and can do nothing."""
    rows = wording.sorted_rows(findings.compared)
    moved = [row for row in rows if row.verdict in ("slower", "faster")]
    rest = [row for row in rows if row.verdict not in ("slower", "faster")]
    parts = [
        MARK,
        f"### {_SIGNS[findings.verdict]} Bakeoff: {_sentence(wording.headline(findings))}",
        f"Head, {code(findings.head)}, against base, {code(findings.base)}, measured side by side.",
        *_faults("Broken in head", findings.broken),
        *_faults("Not measured", findings.hindered),
        *(["**What moved**", _table(moved)] if moved else []),
        *_folded("Undecided and unchanged", [_table(rest)] if rest else []),
        *_folded("Remarks", [f"- {_sentence(each)}" for each in wording.remarks(findings)]),
        *_folded("What was measured and what was not", _selected(findings)),
        *_folded("How often this gate would be wrong here", [f"- {wording.noise(one)}" for one in findings.noise]),
    ]
    return "\n\n".join(parts) + "\n"


def code(text: str) -> str:
    """``text`` as code that no renderer takes for anything else: no link, no mention, no cell's end, no markup."""
    return f"<code>{_MARKUP.sub(_entities, printable(text))}</code>"


def _entities(found: re.Match[str]) -> str:
    return "".join(f"&#{ord(character)};" for character in found[0])


def _sentence(text: str) -> str:
    """A sentence of ours with names in it that are not."""
    return _REFERENCE.sub(r"\1&#8203;", _MARKUP.sub(_entities, printable(text)))


def _table(rows: Sequence[Compared]) -> str:
    lines = [
        "| verdict | change | interval | what | workload | base to head | processes |",
        "|---|---:|---|---|---|---|---:|",
    ]
    for row in rows:
        cells = (
            f"{_SIGNS[row.verdict]} {wording.verdict_word(row)}",
            wording.change(row.ratio.value),
            wording.interval(row.ratio),
            code(row.name),
            f"{code(row.workload)} {row.instrument}",
            wording.values(row),
            f"{row.rounds}",
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _faults(title: str, faults: Sequence[Fault]) -> list[str]:
    if not faults:
        return []
    lines = [
        f"- {code(each.name)} {code(each.case) if each.case else ''} is {each.status}: {code(each.reason)}"
        for each in faults
    ]
    if len(lines) > _MOST_FAULTS:
        lines[_MOST_FAULTS:] = [f"- and {len(lines) - _MOST_FAULTS} more"]
    return [f"**{title}**", "\n".join(lines)]


def _folded(title: str, lines: Sequence[str]) -> list[str]:
    if not lines:
        return []
    content = "\n".join(lines)
    return [f"<details><summary>{title}</summary>\n\n{content}\n\n</details>"]


def _selected(findings: Findings) -> list[str]:
    return [
        *(f"- {code('/'.join(name))}: {code(why)}" for name, why in findings.chosen.items()),
        *_grouped(findings),
    ]


def _grouped(findings: Findings) -> Iterable[str]:
    by_reason: dict[str, list[str]] = {}
    for name, why in findings.skipped.items():
        by_reason.setdefault(why, []).append("/".join(name))
    for why, names in by_reason.items():
        yield f"- skipped, {why}: {', '.join(code(name) for name in names)}"
