"""Runs made of real records, without measuring anything."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterator, Mapping, Sequence
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from harness.config import Project
from harness.contract import (
    Band,
    Case,
    Cell,
    Claim,
    CostGrowth,
    CostRatio,
    Output,
    Probe,
    ProbeValue,
    Scalar,
    Suite,
    Tolerance,
    Where,
    Work,
    grid,
)
from harness.discovery import Catalogue
from harness.discovery.listing import Listing
from harness.loading import Run
from harness.records import Record, Sample
from harness.trials import Trial

SIZES = (100, 1000, 10_000)
ENVIRONMENT: Mapping[str, Any] = {
    "format": 2,
    "bakeoff": "0.1.0",
    "started_at": "2026-03-04T05:06:07+00:00",
    "machine": {
        "cpu": "Imagined CPU",
        "cpus": 2,
        "physical_cpus": 2,
        "architecture": "x86_64",
        "memory_bytes": 8 * 2**30,
        "os": "Debian",
        "kernel": "6.1",
        "python": "3.11.7",
        "governor": "performance",
        "virtual": True,
        "load_average": [1.9, 1.0, 0.5],
    },
    "gpus": [],
    "packages": {"numpy": "2.4.6"},
    "variables": {"OPENBLAS_CORETYPE": "Haswell"},
    "git": {"commit": "abc123", "modified": True},
    "sensors": {
        "cpu": {"available": False, "reason": "no RAPL counter"},
        "cuda": {"available": False, "reason": "NVML not found"},
    },
    "profile": "quick",
    "seed": 4711,
    "devices": ["cpu"],
    "instruments": ["time", "memory", "probe"],
    "request": {"selection": ["sums"], "device": "all", "where": ["n=100"], "instruments": []},
    "ceilings": [
        {
            "device": "cpu",
            "dtype": "float32",
            "threads": 1,
            "matmul_flops_per_s": 1e11,
            "copy_bytes_per_s": 1e10,
        }
    ],
}


def claims() -> tuple[Claim, ...]:
    where = Where({"n": 1000})
    ratio = CostRatio("quick", "plain", where)
    return (
        Claim("sums.1", "cost", "Quick is faster", "a paper", (Cell("n = 1000", ratio, Band(high=1.0)),)),
        Claim("sums.2", "cost", "Quick is slower", "a paper", (Cell("n = 1000", ratio, Band(low=2.0)),)),
        Claim("sums.3", "cost", "Quick is just so", "notes, page 7", (Cell("n = 1000", ratio, Band(0.5, 0.9)),)),
        Claim("sums.4", "cost", "A GPU is faster", "a paper", not_tested="there is no such GPU", sentence="原句。"),
        Claim(
            "sums.5",
            "cost",
            "Linear growth",
            "a book",
            (
                Cell("quick", CostGrowth("quick", "n", SIZES, where), Band(0.9, 1.1)),
                Cell("nodes", ProbeValue("nodes", "count"), Band(high=5)),
            ),
            remark="The band is ours.",
        ),
    )


def make_suite(name: str = "sums", **changes: Any) -> Suite:
    described = {
        "name": name,
        "title": "Sums of numbers",
        "cases": grid(n=SIZES),
        "make_inputs": lambda rng, n: {"x": rng.random(n)},
        "reference": lambda x: {"total": x.sum()},
        "phases": {"build": (), "query": (Output("total", Tolerance({"float32": 1e-5})),)},
        "baseline": "plain",
        "axis": "n",
        "work": lambda itemsize, n: {"build": Work(n, n * itemsize), "query": Work(n)},
        "probes": {"nodes": Probe(lambda rng, implementation: {"count": [3]}, "1")},
        "claims": claims() if name == "sums" else (),
    }
    return Suite(**(described | changes))


def make_trial(implementation: str, n: Scalar = 1000, **changes: Any) -> Trial:
    described = {
        "suite": "sums",
        "implementation": implementation,
        "case": Case.of({"n": n}),
        "device": "cpu",
        "dtype": "float32",
        "threads": 1,
        "instrument": "time",
        "round": 0,
        "seed": 4711,
    }
    return Trial(**(described | changes))


def make_record(trial: Trial, costs: Sequence[Mapping[str, float]] = (), status: str = "ok", **changes: Any) -> Record:
    described = {
        "trial": trial,
        "status": status,
        "origin": "project",
        "samples": tuple(Sample(block, 10, values) for block, values in enumerate(costs)),
        "errors": {"total": 2e-6},
        "limits": {"total": 1e-5},
        "setup_ns": {"load": 1_000_000, "first_call": 2_000_000},
    }
    return Record(**(described | changes))


def measured(implementation: str, factor: float, n: int = 1000) -> list[Record]:
    """A timed and a memory record whose cost is ``factor`` times that of the baseline, which takes 1 us per number."""
    scatter = (1.0, 1.02, 0.98, 1.01, 0.99, 1.03) if factor == 1 else (1.01, 1.01, 1.0, 1.0, 0.99, 1.03)
    times = [{"build": 300.0 * n * factor * part, "query": 700.0 * n * factor * part} for part in scatter]
    peaks = [{"build": 64.0 * n * factor, "query": 128.0 * n * factor}] * 3
    return [
        make_record(make_trial(implementation, n), times, calibration={"clock_resolution_ns": 80.0}),
        make_record(make_trial(implementation, n, instrument="memory"), peaks, setup_ns={}),
    ]


def usual_records() -> list[Record]:
    """A right baseline, one twice as fast, one wrong in its second round, one that is missing, one that crashed."""
    records = [
        record for n in SIZES for name, factor in (("plain", 1), ("quick", 0.5)) for record in measured(name, factor, n)
    ]
    wrong = {"status": "wrong", "reason": "after measuring: total is off by 1", "errors": {"total": 1.0}}
    return [
        *records,
        make_record(make_trial("cheat"), [{"build": 123_456.0, "query": 0.0}]),
        make_record(make_trial("cheat", round=1), **wrong),
        make_record(make_trial("missing"), status="unavailable", reason="package speedy is not installed", errors={}),
        make_record(make_trial("broken"), status="crashed", reason="worker ended by SIGSEGV", errors={}),
    ]


def make_run(records: Sequence[Record], environment: Mapping[str, Any] = ENVIRONMENT, name: str = "some-run") -> Run:
    return Run(path=Path("results") / "machine" / name, environment=environment, records=tuple(records))


def make_catalogue(*suites: Suite, titles: Mapping[str, str] | None = None) -> Catalogue:
    folder = Path("nowhere")
    listings = tuple(
        Listing(name, suites[0].name, folder / f"{name}.py", name, "project", title)
        for name, title in (titles or {}).items()
    )
    project = Project(folder, folder / "suites", folder / "impls", folder, folder, ())
    return Catalogue(project, {suite.name: suite for suite in suites}, listings)


def unpack(content: str) -> str:
    """What a page keeps compressed."""
    return gzip.decompress(base64.b64decode(content)).decode()


_VOID = {"meta", "link", "img", "br", "hr", "input", "rect", "path", "circle", "use", "wbr"}


class Page(HTMLParser):
    """A page that was read: its elements, its ids, its text; ``problems`` lists tags that do not match.

    ``scripts`` are the page's own, ``data`` what its figures are drawn from, ``folded`` what it unfolds later.
    """

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.problems: list[str] = []
        self.text = ""
        self.scripts: list[str] = []
        self.data: list[dict[str, Any]] = []
        self.folded: list[Page] = []
        self.folded_html: list[str] = []
        self._open: list[str] = []
        self.feed(html)
        self.close()
        self.problems += [f"<{tag}> is never closed" for tag in self._open]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in _VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if tag in _VOID:
            return
        if not self._open or self._open[-1] != tag:
            self.problems.append(f"</{tag}> closes <{self._open[-1] if self._open else 'nothing'}>")
        else:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        if self._open[-1:] == ["script"]:
            kind = self.tags[-1][1].get("type")
            if kind == "text/html":
                self.folded_html.append(unpack(data))
                self.folded.append(Page(self.folded_html[-1]))
                self.problems += self.folded[-1].problems
            elif kind == "text/plain":
                self.data.append(json.loads(unpack(data)))
            else:
                self.scripts.append(data)
        elif "style" not in self._open:
            self.text += data

    @property
    def everything(self) -> Iterator[tuple[str, dict[str, str | None]]]:
        """The elements, those that are folded away included."""
        yield from self.tags
        for part in self.folded:
            yield from part.everything

    def count(self, tag: str) -> int:
        return sum(found == tag for found, _ in self.tags)

    @property
    def ids(self) -> list[str]:
        """The ids on the page, those that are folded away included."""
        return [attributes["id"] or "" for _, attributes in self.everything if "id" in attributes]
