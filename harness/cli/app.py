"""The commands of ``bakeoff`` and their options; what each does is in the module of its name."""

from __future__ import annotations

import atexit
import gc
import signal
import sys
from pathlib import Path
from typing import Annotated

import typer
from click.core import ParameterSource

import harness
from harness.cli.outcome import ExitCode, Failure, say_error

app = typer.Typer(
    name="bakeoff",
    help="Interchangeable implementations side by side: proved right, measured, compared, "
    "and what papers claim about them put to the test.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Selection = Annotated[
    list[str] | None, typer.Argument(help="suite, suite/implementation, or a glob of either; all when left out")
]
Impl = Annotated[list[Path] | None, typer.Option("--impl", help="file with one more implementation (repeatable)")]
Json = Annotated[bool, typer.Option("--json", help="print JSON for programs")]
ProjectFolder = Annotated[Path, typer.Option("--project", help="folder of the project")]
ResultsFolder = Annotated[Path | None, typer.Option("--results", help="folder of the runs, instead of the project's")]
Device = Annotated[str, typer.Option(help="cpu, cuda or all that the machine has")]
Where = Annotated[
    list[str] | None,
    typer.Option("--where", help="AXIS=VALUE, only such cases (repeatable, also for one axis)"),
]
_SET_AT_THE_START = (
    "selection", "profile", "device", "where", "instrument", "seed", "precision", "rounds", "cuda_graph", "pin",
    "claims_only",
)  # fmt: skip
RunName = Annotated[str | None, typer.Argument(metavar="[RUN]", help="a run's name or path; the newest when left out")]


@app.callback(invoke_without_command=True)
def options(version: Annotated[bool, typer.Option("--version", help="print the version")] = False) -> None:
    if version:
        typer.echo(f"bakeoff {harness.__version__}")
        raise typer.Exit


@app.command("list")
def list_command(
    selection: Selection = None, impl: Impl = None, project: ProjectFolder = Path(), as_json: Json = False
) -> None:
    """Suites, implementations with availability and reason, cases, claims."""
    from harness.cli.listing import show_list

    show_list(project, selection or [], impl or [], as_json)


@app.command("check")
def check_command(
    selection: Selection = None,
    device: Device = "all",
    where: Where = None,
    profile: Annotated[str, typer.Option(help="quick or full")] = "quick",
    seed: Annotated[int | None, typer.Option(help="draw the inputs from this seed")] = None,
    impl: Impl = None,
    project: ProjectFolder = Path(),
    as_json: Json = False,
) -> None:
    """Correctness only: every implementation against the float64 reference, awkward cases included."""
    from harness.cli.checking import run_check

    run_check(project, selection or [], impl or [], device, where or [], profile, seed, as_json)


@app.command("run")
def run_command(
    context: typer.Context,
    selection: Selection = None,
    profile: Annotated[str, typer.Option(help="quick or full")] = "quick",
    device: Device = "all",
    where: Where = None,
    budget: Annotated[float | None, typer.Option(help="stop starting trials after so many seconds", min=0)] = None,
    instrument: Annotated[
        list[str] | None, typer.Option(help="time, memory, energy or probe (repeatable); all when left out")
    ] = None,
    results: ResultsFolder = None,
    resume: Annotated[str | None, typer.Option(metavar="RUN", help="go on with a run that was cut short")] = None,
    seed: Annotated[int | None, typer.Option(help="repeat a run's inputs and order")] = None,
    impl: Impl = None,
    project: ProjectFolder = Path(),
    precision: Annotated[
        float | None, typer.Option(help="stop sampling at an interval of plus or minus PERCENT; 2 by default", min=0.01)
    ] = None,
    rounds: Annotated[
        int | None,
        typer.Option(help="processes per contestant: 1 in the quick profile, 10 in the full one", min=1),
    ] = None,
    cuda_graph: Annotated[
        bool, typer.Option("--cuda-graph", help="on a GPU time replays of a captured graph instead of calls")
    ] = False,
    pin: Annotated[bool, typer.Option(help="keep contestants with one thread on one CPU while they are timed")] = True,
    claims_only: Annotated[
        bool, typer.Option("--claims-only", help="measure nothing but what the claims of the profile rest on")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="only say what would be measured, and why; with --resume what is left")
    ] = False,
    report: Annotated[bool, typer.Option(help="write the page at the end")] = True,
    as_json: Json = False,
) -> None:
    """Measure: check, time, peak memory, energy and probes; ends with the table and the paths it wrote."""
    from harness.cli.request import Request
    from harness.cli.running import run_run

    if resume:
        _refuse_beside_resume(context)
    run_run(
        Request(
            project=project,
            selection=tuple(selection or ()),
            external=tuple(impl or ()),
            profile=profile,
            device=device,
            where=tuple(where or ()),
            instruments=tuple(instrument or ()),
            budget_s=budget,
            results=results,
            resume=resume,
            seed=seed,
            report=report,
            as_json=as_json,
            pin=pin,
            precision_percent=precision,
            rounds=rounds,
            cuda_graph=cuda_graph,
            claims_only=claims_only,
            dry_run=dry_run,
        )
    )


@app.command("table")
def table_command(
    run: RunName = None,
    form: Annotated[str, typer.Option("--format", help="text, csv, json or parquet")] = "text",
    output: Annotated[Path | None, typer.Option(help="file to write; parquet needs one")] = None,
    results: ResultsFolder = None,
    project: ProjectFolder = Path(),
) -> None:
    """The tidy table of a run."""
    from harness.cli.reading import show_table

    show_table(project, results, run, form, output)


@app.command("claims")
def claims_command(
    run: RunName = None,
    selection: Annotated[list[str] | None, typer.Argument(help="suites; all when left out")] = None,
    results: ResultsFolder = None,
    project: ProjectFolder = Path(),
    as_json: Json = False,
) -> None:
    """Every claim with its verdict, figure, interval and band."""
    from harness.cli.reading import show_claims

    show_claims(project, results, run, selection or [], as_json)


@app.command("compare")
def compare_command(
    base: Annotated[str, typer.Argument(help="a run's name or path, or a file of asv or pytest-benchmark")],
    head: Annotated[str, typer.Argument(help="the same")],
    machines: Annotated[
        bool, typer.Option("--machines", help="they are of two machines: show them side by side all the same")
    ] = False,
    page: Annotated[Path | None, typer.Option(metavar="FILE", help="write a page")] = None,
    markdown: Annotated[Path | None, typer.Option(metavar="FILE", help="write Markdown")] = None,
    results: ResultsFolder = None,
    project: ProjectFolder = Path(),
    as_json: Json = False,
) -> None:
    """Two stored runs; refuses to compare what is not comparable and says why."""
    from harness.cli.comparing import show_comparison

    show_comparison(project, results, base, head, as_json, machines, page, markdown)


@app.command("reproduce")
def reproduce_command(
    run: Annotated[str, typer.Argument(metavar="RUN", help="a run's name or path")],
    other: Annotated[
        str | None, typer.Option("--with", metavar="RUN", help="a run that repeated it already; measured when left out")
    ] = None,
    budget: Annotated[float | None, typer.Option(help="stop starting trials after so many seconds", min=0)] = None,
    impl: Impl = None,
    results: ResultsFolder = None,
    project: ProjectFolder = Path(),
    report: Annotated[bool, typer.Option(help="write the page of the new run")] = True,
    as_json: Json = False,
) -> None:
    """Measure a stored run once more, and say figure by figure and verdict by verdict what came out the same."""
    from harness.cli.reproducing import run_reproduce
    from harness.cli.request import Request

    request = Request(
        project, external=tuple(impl or ()), budget_s=budget, results=results, report=report, as_json=as_json
    )
    run_reproduce(request, run, other)


@app.command("history")
def history_command(
    selection: Selection = None,
    sources: Annotated[
        list[Path] | None,
        typer.Option("--from", help="also a run, a file of asv or pytest-benchmark, or a folder of them (repeatable)"),
    ] = None,
    form: Annotated[str, typer.Option("--format", help="text, csv or json")] = "text",
    results: ResultsFolder = None,
    project: ProjectFolder = Path(),
) -> None:
    """What each commit cost: runs, results of asv and of pytest-benchmark in one table."""
    from harness.cli.history import show_history

    show_history(project, results, selection or [], sources or [], form)


@app.command("report")
def report_command(
    run: RunName = None,
    output: Annotated[Path | None, typer.Option(help="folder to write to, instead of the project's reports")] = None,
    results: ResultsFolder = None,
    project: ProjectFolder = Path(),
) -> None:
    """Figures and one self-contained page."""
    from harness.cli.reading import write_report

    write_report(project, results, run, output)


@app.command("gate")
def gate_command(
    base: Annotated[str, typer.Option(metavar="REV", help="the revision to compare with")],
    selection: Selection = None,
    head: Annotated[
        str, typer.Option(metavar="REV", help="the revision to judge; the working tree as it is when left out")
    ] = "",
    threshold: Annotated[
        float | None,
        typer.Option(metavar="PERCENT", help="how much slower is slower; 2, or what the project sets", min=0.01),
    ] = None,
    budget: Annotated[float | None, typer.Option(help="stop measuring after so many seconds", min=0)] = None,
    everything: Annotated[bool, typer.Option("--all", help="measure also what did not change")] = False,
    profile: Annotated[str, typer.Option(help="quick or full")] = "quick",
    device: Device = "all",
    where: Where = None,
    instrument: Annotated[
        list[str] | None, typer.Option(help="time, memory or energy (repeatable); all when left out")
    ] = None,
    install: Annotated[
        bool, typer.Option(help="give each side an environment of its own where they ask for other packages")
    ] = True,
    noise: Annotated[bool, typer.Option(help="measure first what this machine does to two that are the same")] = True,
    seed: Annotated[int | None, typer.Option(help="repeat the inputs and the order")] = None,
    junit: Annotated[Path | None, typer.Option(metavar="FILE", help="write a JUnit report")] = None,
    markdown: Annotated[Path | None, typer.Option(metavar="FILE", help="write a comment for a pull request")] = None,
    strict: Annotated[bool, typer.Option("--strict", help="exit with 4 if something stayed undecided")] = False,
    project: ProjectFolder = Path(),
    as_json: Json = False,
) -> None:
    """Base and head, measured side by side in one run: did the change make anything slower or hungrier?"""
    from harness.cli.gating import Request, run_gate

    run_gate(
        Request(
            project=project,
            selection=tuple(selection or ()),
            base=base,
            head=head,
            threshold_percent=threshold,
            budget_s=budget,
            everything=everything,
            profile=profile,
            device=device,
            where=tuple(where or ()),
            instruments=tuple(instrument or ()),
            install=install,
            noise=noise,
            seed=seed,
            junit=junit,
            markdown=markdown,
            strict=strict,
            as_json=as_json,
        )
    )


@app.command("doctor")
def doctor_command(project: ProjectFolder = Path(), as_json: Json = False) -> None:
    """What this machine can measure, how noisy it is, and what to do about it."""
    from harness.cli.examining import run_doctor

    run_doctor(project, as_json)


def _refuse_beside_resume(context: typer.Context) -> None:
    """:raises Failure: something was given on the command line that a resumed run takes from its start."""
    given = [
        parameter.opts[0] if parameter.param_type_name == "option" else f"the {parameter.name}"
        for parameter in context.command.params
        if parameter.name in _SET_AT_THE_START
        and context.get_parameter_source(parameter.name) is ParameterSource.COMMANDLINE
    ]
    if given:
        raise Failure(f"a resumed run goes on as it was started; leave out {', '.join(given)}, or start a new run")


def start() -> None:
    """Run the program and turn its failures into messages and exit codes."""
    atexit.register(gc.freeze)  # else a tenth of a second goes into collecting what ends with the process
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        app(standalone_mode=True)
    except Failure as failure:
        say_error(failure.message)
        sys.exit(failure.code)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(ExitCode.OK)
