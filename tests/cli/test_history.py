"""``bakeoff history`` and ``bakeoff compare`` on files of every kind, as a user runs them."""

from __future__ import annotations

import csv
import io
import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.cli.app import app
from harness.cli.outcome import Failure
from tests.history.building import (
    ARCHITECTURE,
    CPU,
    CPUS,
    HISTORY,
    OURS,
    asv_document,
    asv_row,
    benchmark,
    noisy,
    pytest_document,
)  # fmt: skip
from tests.loading.building import FORBIDDEN, FORMULA, HOSTILE, a_record, write

Bakeoff = Callable[..., "subprocess.CompletedProcess[str]"]
ENVIRONMENT = {
    "format": 1, "started_at": "2026-03-01T00:00:00+00:00", "git": {"commit": "c" * 40, "modified": True},
    "machine": {"cpu": CPU, "cpus": CPUS, "architecture": ARCHITECTURE},
}  # fmt: skip
TOTAL = {"suite": "total", "implementation": "plain", "case": {"n": 10}, "dtype": "float64"}
PARAMS = [["'plain'"], ["'n=10'"]]


def a_line(median_ns: float = 1e6) -> str:
    data = a_record().to_json()
    samples = [{**data["samples"][0], "block": block, "duration_ns": {"call": 1e9 * value}}
               for block, value in enumerate(noisy(median_ns * 1e-9, 20, seed=3))]  # fmt: skip
    return json.dumps(data | TOTAL | {"samples": samples})


@pytest.fixture
def call(project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Bakeoff:
    """The program in this process, which has imported by now what every start of it imports."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        monkeypatch.chdir(project)
        code, message = 0, ""
        try:
            app(arguments, standalone_mode=False)
        except Failure as failure:
            code, message = failure.code, failure.message
        except SystemExit as end:
            code = int(end.code or 0)
        said = capsys.readouterr()
        return subprocess.CompletedProcess(arguments, code, said.out, said.err + message)

    return run


@pytest.fixture
def filled(project: Path) -> Path:
    """A project with a run, a result of asv and a session of pytest, of three commits."""
    write(project / "results" / "machine" / "a-run", [a_line()], ENVIRONMENT)
    asv = project / "results" / "asv" / "local"
    asv.mkdir(parents=True)
    document = asv_document({OURS: asv_row(1e-3, params=PARAMS), "other.time_it": asv_row(2e-3), "other.time_no": []})
    (asv / "aaaaaaaa-env.json").write_text(json.dumps(document))
    (asv / "machine.json").write_text("{}")
    (asv.parent / "benchmarks.json").write_text("{}")
    storage = project / ".benchmarks" / "Linux"
    storage.mkdir(parents=True)
    session = pytest_document([benchmark("test_a", noisy(1e-3, 60, seed=1), extra_info=TOTAL)])
    (storage / "0001_x.json").write_text(json.dumps(session))
    return project


def rows(call: Bakeoff, *arguments: str) -> list[dict[str, Any]]:
    done = call("history", "--format", "json", *arguments)
    assert done.returncode == 0, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def test_all_three_in_one_table(filled: Path, call: Bakeoff) -> None:
    """The oldest commit comes first; each row has its commit, its source and what its interval rests on."""
    found = rows(call, "total")
    assert [(row["tool"], row["commit"][:1], row["date"][:10]) for row in found] == [
        ("asv", "a", "2020-09-13"), ("pytest-benchmark", "b", "2026-02-01"), ("bakeoff", "c", "2026-03-01"),
    ]  # fmt: skip
    assert {(row["suite"], row["implementation"], row["case"], row["instrument"], row["unit"]) for row in found} == {
        ("total", "plain", "n=10", "time", "ns")
    }
    assert {row["machine"] for row in found} == {"a-cpu-2cpu"}
    assert [row["source"] for row in found] == [
        "results/asv/local/aaaaaaaa-env.json", ".benchmarks/Linux/0001_x.json", "results/machine/a-run",
    ]  # fmt: skip
    assert [row["rests_on"] for row in found] == [
        "quartiles of 20 samples", "60 rounds of one process", "20 blocks of one process",
    ]  # fmt: skip
    assert all(row["low"] < 1.01e6 and row["high"] > 0.99e6 for row in found)
    assert [row["modified"] for row in found] == [False, False, True]


def test_text_and_csv(filled: Path, call: Bakeoff, bakeoff: Bakeoff) -> None:
    text = bakeoff("history").stdout
    assert "total/plain n=10" in text
    assert "cccccccccc+" in text
    assert "failed: asv stored no result" in text
    output = call("history", "--format", "csv").stdout
    found = list(csv.DictReader(io.StringIO(output)))
    assert len(found) == 5
    failed = next(row for row in found if row["status"] == "failed")
    assert (failed["implementation"], failed["value"], failed["low"]) == ("other.time_no", "", "")


@pytest.mark.parametrize(
    ("selection", "count"), [("total", 3), ("total/plain", 3), ("tot*/pl*", 3), ("other.*", 2), ("*", 5)]
)
def test_selections(filled: Path, call: Bakeoff, selection: str, count: int) -> None:
    assert len(rows(call, selection)) == count


def test_more_sources(filled: Path, call: Bakeoff) -> None:
    """A folder of real files of both tools; benchmarks that are not ours keep their names."""
    found = rows(call, "--from", str(HISTORY))
    names = {row["implementation"] for row in found if not row["suite"]}
    assert {"stranger.TimeSort.time_sort", "test_sorting.py::test_sort", "other.time_it"} <= names
    assert {row["status"] for row in found} == {"ok", "failed", "unavailable"}
    assert all(row["value"] is None for row in found if row["status"] != "ok")


def test_dates_of_commits_that_the_repository_has(filled: Path, call: Bakeoff) -> None:
    """A run does not say when its commit was made; git does."""
    git = ["git", "-C", str(filled), "-c", "user.name=a", "-c", "user.email=a@example.org"]
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run(
        [*git, "commit", "-q", "--allow-empty", "-m", "x", "--date", "2020-01-01T00:00:00Z"],
        check=True, env={"GIT_COMMITTER_DATE": "2021-05-05T00:00:00Z", "PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    commit = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()
    environment = {**ENVIRONMENT, "git": {"commit": commit, "modified": False}}
    write(filled / "results" / "machine" / "later", [a_line()], environment)
    dates = {row["source"].split("/")[-1]: row["date"][:10] for row in rows(call, "total")}
    assert dates["later"] == "2021-05-05"
    assert dates["a-run"] == "2026-03-01"  # a commit that it does not have


def test_bad_files_are_named_and_the_good_ones_load(filled: Path, call: Bakeoff) -> None:
    asv = filled / "results" / "asv" / "local"
    (asv / "bad.json").write_text("{")
    (asv / "new.json").write_text(json.dumps(asv_document(version=3)))
    (asv / "other.json").write_text("[1]")
    (asv / "half.json").write_text(json.dumps(asv_document({"b.time_x": [["?"]], "b.time_y": asv_row(1e-3)})))
    (filled / "strange.json").write_text("[1]")
    done = call("history", "--format", "json", "--from", "strange.json")
    assert done.returncode == 0, done.stderr
    assert len(json.loads(done.stdout)) == 6
    assert "other.json" not in done.stderr  # not everything in a folder is history
    for message in (
        "results/asv/local/bad.json is not JSON that can be read: it is no JSON",
        "results/asv/local/new.json: version is none of asv's formats 1 and 2",
        "strange.json is neither a result file of asv nor a file of pytest-benchmark",
        "results/asv/local/half.json: results.b.time_x: result[0] is the text '?'",
    ):
        assert message in done.stderr, done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--from", "nowhere"], 2, "--from nowhere: there is no such file or folder"),
        (["totl"], 2, "nothing in the history matches 'totl'; did you mean 'total'?"),
        (["--format", "jso"], 2, "did you mean 'json'?"),
    ],
)
def test_wrong_usage(filled: Path, call: Bakeoff, arguments: list[str], code: int, message: str) -> None:
    done = call("history", *arguments)
    assert done.returncode == code
    assert message in done.stderr


def test_no_history_at_all(project: Path, call: Bakeoff) -> None:
    done = call("history")
    assert done.returncode == 3
    assert "no history in" in done.stderr


def test_hostile_files(filled: Path, call: Bakeoff) -> None:
    results = {f"b.time_{text}": asv_row(1e-3, params=[[text]]) for text in HOSTILE}
    document = asv_document(results, commit_hash=FORMULA)
    (filled / "results" / "asv" / "local" / "hostile.json").write_text(json.dumps(document))
    sessions = [benchmark(text, noisy(1e-3, 9, 1), extra_info={**TOTAL, "suite": text}) for text in HOSTILE]
    (filled / ".benchmarks" / "hostile.json").write_text(json.dumps(pytest_document(sessions)))
    for form in ("text", "csv", "json"):
        done = call("history", "--format", form)
        assert done.returncode == 0, done.stderr
        assert [c for c in FORBIDDEN if c in done.stdout + done.stderr] == []
    cells = [cell for row in csv.reader(io.StringIO(call("history", "--format", "csv").stdout)) for cell in row]
    assert f"'{FORMULA}" in cells
    assert FORMULA not in cells


def test_compare_takes_files_of_every_kind(filled: Path, call: Bakeoff) -> None:
    session = str(filled / ".benchmarks" / "Linux" / "0001_x.json")
    slower = filled / "slower.json"
    values = noisy(1.3e-3, 60, seed=2)
    slower.write_text(json.dumps(pytest_document([benchmark("test_a", values, extra_info=TOTAL)])))
    asv = str(filled / "results" / "asv" / "local" / "aaaaaaaa-env.json")
    for base, head, code, verdict in [
        (session, str(slower), 1, "slower"),
        (str(slower), session, 0, "faster"),
        ("a-run", session, 0, "same"),
        ("a-run", str(slower), 1, "slower"),
        (asv, str(slower), 1, "slower"),
        (asv, "a-run", 0, "same"),
        ("a-run", "a-run", 0, "same"),
    ]:
        done = call("compare", base, head, "--json")
        assert done.returncode == code, (base, head, done.stdout, done.stderr)
        document = json.loads(done.stdout)
        assert document["verdict"] == verdict
        (comparison,) = document["comparisons"]
        assert comparison["low"] <= comparison["ratio"] <= comparison["high"]
    text = call("compare", asv, str(slower)).stdout
    assert "slower" in text
    assert "only the quartiles of 20 values were stored" in text


def test_compare_in_a_process_of_its_own(filled: Path, bakeoff: Bakeoff) -> None:
    session = ".benchmarks/Linux/0001_x.json"
    done = bakeoff("compare", "a-run", session)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"{session} over a-run: same")


def test_compare_refuses_and_says_why(filled: Path, call: Bakeoff) -> None:
    session = str(filled / ".benchmarks" / "Linux" / "0001_x.json")
    elsewhere = filled / "elsewhere.json"
    document = json.loads(Path(session).read_text())
    document["machine_info"]["cpu"]["brand_raw"] = "Another"
    elsewhere.write_text(json.dumps(document))
    (filled / "bad.json").write_text("{}")
    for base, head, message in [
        (session, str(elsewhere), "come from different machines (cpu: 'A CPU' and 'Another')"),
        ("a-run", str(elsewhere), "come from different machines"),
        (session, str(filled / "bad.json"), "bad.json is neither a result file of asv nor"),
        (session, "no-run", "no run 'no-run'"),
    ]:
        done = call("compare", base, head)
        assert done.returncode == 3, done.stdout
        assert message in done.stderr
        assert done.stdout == ""


def test_compare_writes_a_page_and_markdown(filled: Path, call: Bakeoff) -> None:
    page, markdown = filled / "pages" / "change.html", filled / "change.md"
    session = str(filled / ".benchmarks" / "Linux" / "0001_x.json")
    done = call("compare", "a-run", session, "--page", str(page), "--markdown", str(markdown))
    assert done.returncode == 0, done.stderr
    assert f"written: {page}" in done.stdout
    assert "bakeoff compare a-run" in page.read_text(encoding="utf-8")
    assert "1 same." in markdown.read_text(encoding="utf-8")
    refused = call("compare", "a-run", session, "--page", str(filled / "change.md" / "page.html"))
    assert refused.returncode == 3
    assert "cannot be written" in refused.stderr


def test_two_machines_side_by_side_on_demand(filled: Path, call: Bakeoff) -> None:
    session = filled / ".benchmarks" / "Linux" / "0001_x.json"
    elsewhere = filled / "elsewhere.json"
    document = json.loads(session.read_text())
    document["machine_info"]["cpu"]["brand_raw"] = "Another"
    document["benchmarks"] = [benchmark("test_a", noisy(9e-3, 60, seed=2), extra_info=TOTAL)]
    elsewhere.write_text(json.dumps(document))
    assert "side by side with --machines" in call("compare", "a-run", str(elsewhere)).stderr
    done = call("compare", "a-run", str(elsewhere), "--machines")
    assert done.returncode == 0, done.stderr
    assert "Another, 2 CPUs over A CPU, 2 CPUs: the ratios say nothing of the code" in done.stdout
    assert "9." in done.stdout


def test_a_folder_that_loops_is_walked_once(filled: Path, call: Bakeoff) -> None:
    (filled / "results" / "loop").symlink_to(filled / "results")
    shutil.copytree(filled / "results" / "asv", filled / "more")
    assert len(rows(call, "total", "--from", str(filled / "more"))) == 4
