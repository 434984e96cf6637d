"""A hostile run through every command: it cannot break a terminal, a page, a spreadsheet, nor leave its folder."""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from harness.config import find_project
from harness.discovery import load_catalogue
from harness.loading import load_run, resolve_run
from harness.reporting.page import write_page
from harness.tables import COLUMNS
from tests.reporting.building import Page

from .building import ESCAPES, FORBIDDEN, FORMULA, HOSTILE, HTML, MARKUP, TRAVERSAL, write

Bakeoff = Callable[..., "subprocess.CompletedProcess[str]"]
CLAIMS = """
    claims=(
        Claim("total.1", "cost", "Faster", "a paper",
              (Cell("n = 10", CostRatio("quick", "plain", Where({"n": 10})), Band(high=1.0)),)),
    ),
)
"""
ALL = " ".join(HOSTILE)
NAME = f"={HTML[:8]}{ESCAPES[:4]}\u202e{TRAVERSAL[:6]}"


def hostile_line(implementation: str, **changes: Any) -> str:
    base = {
        "format": 2, "suite": "total", "implementation": implementation, "case": {"n": 10}, "device": "cpu",
        "dtype": "float32", "threads": 1, "instrument": "time", "round": 0, "seed": 7, "probe": "", "until": "",
        "status": "ok", "reason": "", "origin": f"path {ALL}", "errors": {NAME: "inf"}, "limits": {NAME: 1.0},
        "checked": {NAME: NAME}, "setup_ns": {NAME: 5}, "calibration": {NAME: 1.0}, "flags": [NAME],
        "stopped": "budget",
        "samples": [
            {
                "block": block, "iterations": 3, "duration_ns": {"sum": 1000.0 + block, "centre": 2000.0},
                "warmup": False, "flags": [NAME], "readings": {NAME: 1.0},
            }
            for block in range(8)
        ],
    }  # fmt: skip
    return json.dumps(base | changes)


def hostile_lines() -> list[str]:
    lines = [hostile_line("plain", origin="project")]
    for text in HOSTILE:
        lines += [
            hostile_line(text),
            hostile_line("quick", status="failed", reason=text, samples=[], case={"n": 10, text: text}),
            hostile_line("quick", status="unavailable", reason=f"package {text} is not installed", dtype=text),
            hostile_line("plain", case={text: text}, device=text, until=text),
            hostile_line("", suite=text, instrument="probe", probe=text, status="crashed", reason=text, samples=[]),
        ]
    lines.append(hostile_line("quick", status="wrong", reason=ALL, samples=[]))
    return [
        *lines,
        f'{{"{ESCAPES[:6]}',
        ESCAPES.encode("utf-8", "replace").decode() * 3,
        line_of_values(),
        line_of_values(),
    ]


def line_of_values() -> str:
    """Numbers at the ends of what a file can hold, twice, so that the second is a duplicate."""
    ends = (0.0, 1e-30, 1.0, 1e30, 1e30)
    samples = [
        {"block": block, "iterations": 1, "duration_ns": {"sum": value, "centre": value}, "warmup": False, "flags": []}
        for block, value in enumerate(ends)
    ]
    return hostile_line("extreme", samples=samples, threads=2**31, round=2**31, seed=10**300, case={"n": 10**300})


def hostile_environment() -> dict[str, Any]:
    return {
        "format": 1,
        "bakeoff": ALL,
        "started_at": ALL,
        "machine": {"cpus": 2, **dict.fromkeys(("cpu", "architecture", "os", "kernel", "python", "governor"), ALL)},
        "gpus": [{"name": ALL, "driver": ALL, "memory_bytes": 10**300}],
        "packages": {NAME: ALL},
        "git": {"commit": ALL, "modified": True},
        "sensors": {"cpu": {"available": False, "reason": ALL}},
        "profile": "quick",
        "seed": 7,
        "devices": ["cpu"],
        "instruments": ["time"],
        "request": {"selection": ["total"], "device": "cpu", "where": ["n=100"], "instruments": ["time"]},
        "ceilings": [{"device": "cpu", "dtype": "float32", "threads": 1, "matmul_flops_per_s": 1e-30,
                      "copy_bytes_per_s": 1e30}],
        NAME: {NAME: [ALL]},
    }  # fmt: skip


@pytest.fixture
def hostile(project: Path) -> Path:
    """A project with a claim, and two runs of it that came from elsewhere."""
    suite = project / "suites" / "total" / "suite.py"
    text = suite.read_text().replace(
        "from harness.contract import", "from harness.contract import Band, Cell, Claim, CostRatio, Where,"
    )
    suite.write_text(text.rstrip().removesuffix(")") + CLAIMS)
    for name in ("one", "two"):
        write(project / "results" / "elsewhere" / name, hostile_lines(), hostile_environment())
    return project


def harmless(output: str) -> None:
    found = [hex(ord(character)) for character in FORBIDDEN if character in output]
    assert found == []


def files(folder: Path) -> dict[str, int]:
    return {
        str(file.relative_to(folder)): file.stat().st_mtime_ns
        for file in folder.rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }


def test_terminal_and_json(hostile: Path, bakeoff: Bakeoff) -> None:
    before = files(hostile.parent)
    for arguments, code in [
        (["table", "one"], 0),
        (["table", "one", "--format", "json"], 0),
        (["claims", "one"], 0),
        (["claims", "one", "--json"], 0),
        (["compare", "one", "two"], None),
        (["compare", "one", "two", "--json"], None),
        (["claims", "\x1b]0;x\x07"], 3),
    ]:
        done = bakeoff(*arguments)
        assert "Traceback" not in done.stderr, (arguments, done.stderr)
        assert code is None or done.returncode == code, (arguments, done.stderr)
        harmless(done.stdout)
        harmless(done.stderr)
        if "--json" in arguments or "json" in arguments:
            assert json.loads(done.stdout)
        if code == 0:
            assert re.search(r"results/elsewhere/one/records.jsonl:\d+: .*the same trial as in line", done.stderr)
    assert "quick: " in bakeoff("claims", "one").stdout
    assert files(hostile.parent) == before


def test_spreadsheet(hostile: Path, bakeoff: Bakeoff) -> None:
    output = bakeoff("table", "one", "--format", "csv").stdout
    harmless(output)
    rows = list(csv.DictReader(io.StringIO(output)))
    assert {tuple(row) for row in rows} == {COLUMNS}
    cells = [cell for row in rows for cell in row.values()]
    numbers = re.compile(r"-?[\d.]+(?:e[+-]?\d+)?|-?inf|")
    assert [cell for cell in cells if cell[:1] in "=+-@\t" and cell and not numbers.fullmatch(cell)] == []
    assert f"'{FORMULA}" in cells
    assert "'@SUM(A1)" in cells


def test_parquet(hostile: Path, bakeoff: Bakeoff, tmp_path: Path) -> None:
    done = bakeoff("table", "one", "--format", "parquet", "--output", str(tmp_path / "t.parquet"))
    assert done.returncode == 0, done.stderr
    table = pd.read_parquet(tmp_path / "t.parquet")
    assert FORMULA in set(table.implementation)  # a formula is one only in a spreadsheet
    harmless("".join(table[column].astype(str).str.cat() for column in table.columns))


def test_page(hostile: Path, bakeoff: Bakeoff, tmp_path: Path) -> None:
    output = tmp_path / "pages"
    done = bakeoff("report", "one", "--output", str(output))
    assert done.returncode == 0, done.stderr
    assert [file.name for file in output.iterdir()] == ["one.html"]
    html = (output / "one.html").read_text(encoding="utf-8")
    harmless(html)
    page = Page(html)
    for content in (html, *page.folded_html):
        assert not [text for text in (HTML, "<img", FORMULA) if text in content]
    tags = list(page.everything)
    attributes = [(name, value or "") for _, found in tags for name, value in found.items()]
    assert len(page.scripts) == 1
    assert not {"img", "iframe", "object", "link"} & {tag for tag, _ in tags}
    assert not [name for name, _ in attributes if name.startswith("on") or name == "src"]
    assert all(value.startswith("#") for name, value in attributes if name == "href")
    assert not [
        cell for data in page.data for row in data["rows"] for cell in row if str(cell).startswith(("=", "+", "@"))
    ]
    assert "&lt;script&gt;" in html
    assert "49" not in re.findall(r"\{\{ 7\*7 \}\}|49(?=%raw)", html)
    assert str(hostile) not in html  # warnings name the file within the run's folder
    assert "records.jsonl:" in html


@pytest.mark.parametrize("name", ["<script>alert(1)<", "\x1b[2J", "a\nb", "x" * 250, "...", "con", "\udcff"])
def test_a_page_stays_in_its_folder(project: Path, tmp_path: Path, name: str) -> None:
    """The page is called by the run's folder, which came with the run."""
    run = load_run(write(project / "results" / name, []))
    page = write_page(run, load_catalogue(find_project(project)), tmp_path / "pages")
    assert list(tmp_path.rglob("*.html")) == [page]
    assert page.parent == tmp_path / "pages"
    assert re.fullmatch(r"[a-z0-9_][a-z0-9._-]*\.html", page.name)
    harmless(page.read_text(encoding="utf-8"))


def test_a_run_named_by_the_folder_above_is_not_called_so(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(project / "results" / "m", [])
    monkeypatch.chdir(project / "results" / "m")
    write(project / "results" / "m" / "inner", [])
    assert load_run(resolve_run(project / "results", "inner/..")).name == "m"


def test_a_hostile_run_is_resumed_and_shown(hostile: Path, bakeoff: Bakeoff) -> None:
    """The final table shows what the file holds; what was there stays byte for byte, in the file or beside it."""
    records = hostile / "results" / "elsewhere" / "two" / "records.jsonl"
    before = records.read_bytes()
    done = bakeoff("run", "--resume", "two")
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    harmless(done.stdout + done.stderr)
    assert "&A1" in done.stdout
    assert "[/][red]x" in done.stdout  # shown, not obeyed
    assert MARKUP in done.stdout
    assert TRAVERSAL in done.stdout
    assert records.with_name("superseded-1.jsonl").read_bytes() == before
    stored = [json.loads(line) for line in records.read_text(encoding="utf-8").splitlines()]
    assert {record["status"] for record in stored if record["fingerprint"]} == {"ok"}


def test_a_run_with_next_to_nothing_in_its_environment(project: Path, bakeoff: Bakeoff, tmp_path: Path) -> None:
    """Every command says what it can say without, or what is missing."""
    for name in ("bare", "naked"):
        write(project / "results" / "m" / name, [hostile_line("plain", origin="project", flags=[])], {})
    for arguments, code, message in [
        (["table", "bare"], 0, ""),
        (["claims", "bare"], 0, ""),
        (["report", "bare", "--output", str(tmp_path / "pages")], 0, ""),
        (["compare", "bare", "naked"], 3, "does not say its machine's cpu"),
        (["run", "--resume", "bare"], 3, "environment.json: profile is missing"),
    ]:
        done = bakeoff(*arguments)
        assert done.returncode == code, (arguments, done.stderr)
        assert "Traceback" not in done.stderr
        assert message in done.stderr
