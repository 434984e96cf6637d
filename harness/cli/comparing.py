"""``bakeoff compare``: two stored runs, files of asv or files of pytest-benchmark."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.cli.outcome import ExitCode, Failure
from harness.cli.reading import open_run
from harness.cli.selecting import open_catalogue
from harness.discovery import Catalogue

if TYPE_CHECKING:
    from harness.comparing import Change, Comparison

_MOST_CAUTIONS = 5


def show_comparison(project: Path, results: Path | None, base: str, head: str, as_json: bool) -> None:
    """Exits with 1 when something became slower."""
    catalogue = open_catalogue(project, ())
    from harness.comparing import Incomparable, overall

    try:
        names, comparisons, left_out = _compare(catalogue, results, base, head)
    except Incomparable as reason:
        raise Failure(str(reason), ExitCode.UNFINISHED) from reason
    verdict = overall(comparisons)
    if as_json:
        document = {"verdict": verdict, "comparisons": [_row(each) for each in comparisons], "left_out": left_out}
        print(json.dumps(document, ensure_ascii=False, indent=1))
    else:
        _show(names, comparisons, left_out, verdict)
    if verdict == "slower":
        raise SystemExit(ExitCode.FOUND)


def _compare(
    catalogue: Catalogue, results: Path | None, base: str, head: str
) -> tuple[tuple[str, str], Sequence[Comparison], Sequence[str]]:
    """The names of the sides, the comparisons, and what was left out."""
    from harness.history.comparing import compare_histories

    old, new = (
        _open_file(catalogue, Path(name)) if Path(name).is_file() else _open_run(catalogue, results, name)
        for name in (base, head)
    )
    dtypes = {suite.name: suite.dtypes.get("cpu", ()) for suite in catalogue.suites.values()}
    outcome = compare_histories(old, new, dtypes=dtypes)
    return (old.source, new.source), outcome.comparisons, outcome.left_out


def _open_run(catalogue: Catalogue, results: Path | None, name: str) -> Any:
    from harness.history.runs import read_run

    run = open_run(catalogue, results, name)
    return read_run(run, run.name)


def _open_file(catalogue: Catalogue, path: Path) -> Any:
    from harness.cli.history import warn
    from harness.history.sources import Unreadable, open_history

    try:
        history = open_history(path, catalogue.project.root)
    except Unreadable as error:
        raise Failure(str(error), ExitCode.UNFINISHED) from error
    warn(f"{history.source}: {warning}" for warning in history.warnings)
    return history


def _row(comparison: Comparison) -> dict[str, Any]:
    ratio = comparison.ratio
    return vars(comparison) | {
        "ratio": ratio.value,
        "low": ratio.low if ratio.has_interval else None,
        "high": ratio.high if ratio.has_interval else None,
        "caution": ratio.caution,
    }


def _show(names: tuple[str, str], comparisons: Sequence[Comparison], left_out: Sequence[str], verdict: Change) -> None:
    from harness.figures import format_interval

    print(f"{names[1]} over {names[0]}: {verdict}")
    for comparison in sorted(comparisons, key=lambda each: -each.ratio.value):
        contestant = "/".join(filter(None, (comparison.suite, comparison.implementation)))
        name = f"{contestant} {comparison.case} {comparison.instrument}"
        interval = format_interval(comparison.ratio.low, comparison.ratio.high) or "no interval"
        print(f"  {comparison.verdict:<9} {comparison.ratio.value:6.3f} ({interval})  {name}")
    for reason in left_out:
        print(f"  {reason}")
    cautions = Counter(comparison.ratio.caution for comparison in comparisons if comparison.ratio.caution)
    if cautions:
        print("what weakens them:")
    for caution, count in cautions.most_common(_MOST_CAUTIONS):
        print(f"  {count} of {len(comparisons)}: {caution}")
