"""The page of a run: one HTML file that needs nothing else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.claims import evaluate_claims
from harness.contract import Suite
from harness.discovery import Catalogue
from harness.history.entries import History
from harness.history.runs import read_run
from harness.loading import Run
from harness.naming import slug
from harness.reporting.absent import TakenPart, find_gaps
from harness.reporting.board import make_board as make_claims_board
from harness.reporting.chart import Chart
from harness.reporting.charts import make_charts, unshown_families
from harness.reporting.glance import Glance, count_standings, glance
from harness.reporting.leaders import LeaderBoard, make_board
from harness.reporting.libraries import Duels, duels
from harness.reporting.measures import Measures
from harness.reporting.origin import describe_origin
from harness.reporting.parallel import map_in_processes
from harness.reporting.past import Moment
from harness.reporting.rendering import render, write_whole
from harness.reporting.standing import Contestant, stand
from harness.tables import tidy_table

_ASV = "asv/index.html"


@dataclass(frozen=True)
class Section:
    """Everything the page shows of one suite.

    :param fixed: the parameters that all workloads share.
    :param boards: the headline workload's first.
    :param dtypes: of all workloads.
    :param unshown: lines along the axis that have no growth figure, by name.
    """

    name: str
    title: str
    baseline: str
    axis: str
    fixed: str
    dtypes: tuple[str, ...]
    glance: Glance
    contestants: tuple[Contestant, ...]
    boards: tuple[LeaderBoard, ...]
    against_libraries: Duels
    charts: tuple[Chart, ...]
    unshown: tuple[str, ...]

    @property
    def has_trouble(self) -> bool:
        """Whether someone was wrong or failed."""
        return any(contestant.standing in ("wrong", "failed") for contestant in self.contestants)


def write_page(run: Run, catalogue: Catalogue, output: Path, earlier: Sequence[History] = ()) -> Path:
    """Write ``<output>/<run>.html`` and return its path; an earlier page of the run is replaced whole or not at all.

    The run's name comes from a folder that may be anyone's, so it is made safe.

    :param earlier: stored runs of the same machine, oldest first.
    """
    asv = _ASV if (output / _ASV).is_file() else ""
    return write_whole(output / f"{slug(run.name)}.html", render_page(run, catalogue, earlier, asv))


def render_page(run: Run, catalogue: Catalogue, earlier: Sequence[History] = (), asv: str = "") -> str:
    """The page's HTML. Suites without records have no section.

    :param asv: where asv's own pages are, as a link from this one.
    """
    histories = (*earlier, read_run(run, run.name)) if earlier else ()
    names = {record.trial.suite for record in run.records}
    suites = {name: suite for name, suite in catalogue.suites.items() if name in names}
    sections = map_in_processes(lambda suite: _section(suite, run, catalogue, histories), list(suites.values()))
    results = evaluate_claims(suites.values(), run.records, run.environment)
    contestants = [contestant for section in sections for contestant in section.contestants]
    return render(
        "page.html.jinja",
        origin=describe_origin(run.name, run.environment, run.records),
        standings=count_standings(contestants),
        trials=_trials(run),
        claims=make_claims_board(results, {name: suite.title for name, suite in suites.items()}),
        sections=sections,
        absent=find_gaps(
            [TakenPart(section.name, section.contestants, section.dtypes) for section in sections],
            catalogue,
            run.records,
            run.environment,
            run.warnings,
        ),
        past=[Moment.of(history) for history in histories],
        asv=asv,
    )


def _contestants(measures: Measures, catalogue: Catalogue) -> tuple[Contestant, ...]:
    titles = {listing.name: listing.title for listing in catalogue.of(measures.suite.name)}
    names = dict.fromkeys(record.trial.implementation for record in measures.records if record.trial.implementation)
    return tuple(stand(measures, name, titles.get(name, "")) for name in sorted(names))


def _section(suite: Suite, run: Run, catalogue: Catalogue, histories: Sequence[History]) -> Section:
    records = [record for record in run.records if record.trial.suite == suite.name]
    table = tidy_table(records, {suite.name: suite}, run.environment)
    measures = Measures(suite, records, table, run.environment)
    contestants = _contestants(measures, catalogue)
    boards = [make_board(measures, workload) for workload in measures.workloads]
    return Section(
        name=suite.name,
        title=suite.title,
        baseline=suite.baseline,
        axis=suite.axis,
        fixed=" ".join(f"{name}={value}" for name, value in measures.fixed.items()),
        dtypes=tuple(sorted({workload.dtype for workload in measures.workloads})),
        glance=glance(measures, contestants),
        contestants=contestants,
        boards=tuple(sorted(boards, key=lambda board: not board.is_headline)),
        against_libraries=duels(measures, {listing.name: listing.library for listing in catalogue.of(suite.name)}),
        charts=make_charts(measures, histories),
        unshown=tuple(family.name for family in unshown_families(measures)),
    )


def _trials(run: Run) -> Sequence[tuple[str, int]]:
    """How many trials ended how, most frequent first."""
    return Counter(record.status.replace("_", " ") for record in run.records).most_common()
