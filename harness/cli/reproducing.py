"""``bakeoff reproduce``: a stored run once more, and what came out the same."""

from __future__ import annotations

import json
import math
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.cli.outcome import ExitCode, user_errors
from harness.cli.reading import open_run
from harness.cli.request import Request, as_before
from harness.cli.running import repeat, write_page
from harness.cli.selecting import open_catalogue
from harness.discovery import Catalogue
from harness.loading import Run, resumable

if TYPE_CHECKING:
    from harness.history.comparing import Outcome
    from harness.reproducing.figures import Figure
    from harness.reproducing.surroundings import Difference
    from harness.reproducing.verdicts import VerdictPair

_MOST_SHOWN = 10
_FEWEST_FACTORS = 10


@dataclass(frozen=True)
class _Findings:
    """What two runs of one request have in common.

    :param costs: the absolute costs, or why they cannot be compared.
    """

    old: Run
    new: Run
    differences: Sequence[Difference]
    verdicts: Sequence[VerdictPair]
    figures: Sequence[Figure]
    costs: Outcome | str

    @property
    def contradicted(self) -> bool:
        """Costs in seconds and bytes do not count: they are the machine's as much as the code's."""
        return any(pair.change == "reversed" for pair in self.verdicts) or any(
            figure.outcome == "different" for figure in self.figures
        )


def run_reproduce(request: Request, name: str, other: str | None) -> None:
    """Exits with 1 when a verdict was reversed or a figure came out different, with 3 when the budget ended before.

    :param other: a run that repeated it already, perhaps on another machine; measured now when ``None``.
    """
    everything = open_catalogue(request.project, request.external)
    old = open_run(everything, request.results, name)
    with user_errors():
        resumable(old)
    finished = True
    if other is None:
        _name_what_is_missing(old, everything)
        new, finished = repeat(as_before(request, old.environment))
    else:
        new = open_run(everything, request.results, other)
    page = write_page(new, everything) if request.report and other is None else None
    found = _compare(old, new, everything)
    if request.as_json:
        print(json.dumps(_document(found, page, finished), ensure_ascii=False, indent=1))
    else:
        _show(found)
        if other is None:
            print(f"records: {new.path}")
        if page:
            print(f"page:    {page}")
    if not finished:
        print(
            f"bakeoff: the budget ended before the plan; go on with: bakeoff run --resume {new.name}, "
            f"then: bakeoff reproduce {old.name} --with {new.name}",
            file=sys.stderr,
        )
        raise SystemExit(ExitCode.UNFINISHED)
    if found.contradicted:
        raise SystemExit(ExitCode.FOUND)


def _name_what_is_missing(old: Run, catalogue: Catalogue) -> None:
    present = {(listing.suite, listing.name) for listing in catalogue.listings}
    lost: dict[str, str] = {}
    for record in old.records:
        trial = record.trial
        if trial.implementation and (trial.suite, trial.implementation) not in present:
            lost[f"{trial.suite}/{trial.implementation}"] = record.origin
    for contestant, origin in lost.items():
        hint = "; name its file with --impl" if origin.startswith("path ") else ""
        print(f"bakeoff: warning: {contestant} ({origin}) is not here and is left out{hint}", file=sys.stderr)


def _compare(old: Run, new: Run, catalogue: Catalogue) -> _Findings:
    from harness.comparing import Incomparable
    from harness.history.comparing import compare_histories
    from harness.history.runs import read_run
    from harness.reproducing.figures import compare_figures
    from harness.reproducing.surroundings import differences
    from harness.reproducing.verdicts import compare_verdicts

    costs: Outcome | str
    try:
        costs = compare_histories(read_run(old, old.name), read_run(new, new.name))
    except Incomparable as reason:
        costs = str(reason)
    return _Findings(
        old=old,
        new=new,
        differences=differences(old.environment, new.environment),
        verdicts=compare_verdicts(old, new, catalogue.suites),
        figures=compare_figures(old, new, catalogue.suites),
        costs=costs,
    )


def _document(found: _Findings, page: Path | None, finished: bool) -> dict[str, Any]:
    costs = found.costs
    return {
        "old": found.old.name,
        "new": found.new.name,
        "results": str(found.new.path),
        "report": str(page) if page else None,
        "finished": finished,
        "reproduced": finished and not found.contradicted,
        "differences": [asdict(difference) for difference in found.differences],
        "claims": [asdict(pair) for pair in found.verdicts],
        "figures": [_figure(figure) for figure in found.figures],
        "costs": {"refused": costs} if isinstance(costs, str) else Counter(each.verdict for each in costs.comparisons),
    }


def _figure(figure: Figure) -> dict[str, Any]:
    return asdict(figure) | {"factor": None if math.isnan(figure.factor) else figure.factor}


def _show(found: _Findings) -> None:
    from harness.reproducing.figures import KINDS, OUTCOMES

    print(f"{found.old.name} repeated as {found.new.name}\n")
    print("around them, nothing differs" if not found.differences else "around them, these differ:")
    for difference in found.differences:
        remedy = f"    ({difference.remedy})" if difference.remedy else ""
        print(f"  {difference.what}: {difference.old} -> {difference.new}{remedy}")
    changes = Counter(pair.change for pair in found.verdicts)
    print(f"\nverdicts: {_counted(changes) or 'no claim was tested'}")
    for pair in found.verdicts:
        if pair.change != "same":
            print(f"  {pair.claim} {pair.change}: {pair.old} -> {pair.new}")
    print("\nfigures:")
    for kind, label in KINDS.items():
        outcomes = Counter(figure.outcome for figure in found.figures if figure.kind == kind)
        if outcomes:
            print(f"  {label}: {_counted({name: outcomes[name] for name in OUTCOMES if outcomes[name]})}")
    factors = sorted(figure.factor for figure in found.figures if figure.kind == "ratio")
    if len(factors) >= _FEWEST_FACTORS:
        low, middle, high = (factors[round(share * (len(factors) - 1))] for share in (0.05, 0.5, 0.95))
        print(f"    new over old: {middle:.3f} in the middle, nine of ten from {low:.3f} to {high:.3f}")
    for outcome in ("different", "missing"):
        _show_some(outcome, [figure for figure in found.figures if figure.outcome == outcome])
    if isinstance(found.costs, str):
        print(f"  seconds and bytes are left alone: {found.costs}")
    else:
        verdicts = Counter(comparison.verdict for comparison in found.costs.comparisons)
        print(f"  seconds and bytes, for what they are worth at another time: {_counted(verdicts)}")
    print(f"\n{'not the same: see above' if found.contradicted else 'nothing came out different'}")


def _show_some(outcome: str, figures: Sequence[Figure]) -> None:
    for figure in figures[:_MOST_SHOWN]:
        print(f"    {outcome}: {figure.name}: {figure.old or 'none'} -> {figure.new or 'none'}")
    if len(figures) > _MOST_SHOWN:
        print(f"    and {len(figures) - _MOST_SHOWN} more {outcome}; all of them: --json")


def _counted(counts: Counter[Any] | dict[Any, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.items())
