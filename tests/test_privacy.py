"""What is stored tells of the machine's kind and nothing of its owner."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import matplotlib
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.cli import examining
from harness.environment import describe_environment
from harness.environment_format import ENVIRONMENT
from harness.known.machine import Machine
from harness.privacy import ADDRESS, HOST, PUBLIC_VARIABLES, USER, VARIABLE, Scrubber, scrubber_of
from harness.shapes import Each, Fields

ROOT = Path(__file__).parents[1]
Add = Callable[..., Path]

ALICE = Scrubber(
    folders={"/home/alice": "~", "/srv/big/alice": "~", "/home/alice/project": ""},
    users=("alice", "Alice Liddell"),
    hosts=("rabbit-hole", "rabbit-hole.example.org"),
    secrets=("s3cr3t-t0ken", "s3cr3t-t0ken-longer"),
)


@pytest.mark.parametrize(
    ("text", "scrubbed"),
    [
        ("/home/alice/data.bin", "~/data.bin"),
        ("in /home/alice.", "in ~."),
        ("'/home/alice/project/impls/knn/x.py'", "'impls/knn/x.py'"),
        ("/home/alice/project", "."),
        ("/home/alice/projects/x", "~/projects/x"),
        ("/home/alice2/x", f"/home/{USER}/x"),
        ("/home/bob/x and /Users/carol:3", f"/home/{USER}/x and /Users/{USER}:3"),
        ("C:\\Users\\dave\\x", f"C:\\Users\\{USER}\\x"),
        ("/srv/big/alice/x", "~/x"),
        ("/mnt/home/alice/x", f"/mnt/home/{USER}/x"),
        ("/tmp/pytest-of-alice/x", f"/tmp/pytest-of-{USER}/x"),
        ("alice_key of Alice Liddell, malice", f"{USER}_key of {USER}, malice"),
        ("on rabbit-hole.example.org, RABBIT-HOLE:80", f"on {HOST}, {HOST}:80"),
        ("s3cr3t-t0ken-longer and s3cr3t-t0ken", f"{VARIABLE} and {VARIABLE}"),
        ("10.1.2.3:29500 refused", f"{ADDRESS}:29500 refused"),
        ("127.0.0.1, 0.0.0.0, ::1", "127.0.0.1, 0.0.0.0, ::1"),
        ("fe80::1, 2001:db8:0:0:0:0:0:1", f"{ADDRESS}, {ADDRESS}"),
        ("52:54:00:12:34:56", ADDRESS),
        ("a.liddell@wonder.land", ADDRESS),
        ("GPU-5a1b2c3d-1111-2222-3333-444455556666 fell off the bus", f"{ADDRESS} fell off the bus"),
        ("torch 2.13.0+cpu, driver 550.54.15, std::vector, 12:34:56", None),
        ("1::alice", "<address><user>"),
        ("RuntimeError: shape (3, 4) is not (4, 3) (numba_tiled.py:12)", None),
        ("no RAPL energy counter of a CPU package under /sys/class/powercap", None),
        ("", None),
    ],
)
def test_what_is_private_is_hidden_and_the_rest_stays(text: str, scrubbed: str | None) -> None:
    assert ALICE.text(text) == (text if scrubbed is None else scrubbed)


@given(st.text() | st.from_regex(r"(/home/|/Users/|alice|rabbit-hole| |::|1\.2\.3\.4|s3cr3t-t0ken)+"))
def test_scrubbing_twice_changes_nothing_more(text: str) -> None:
    once = ALICE.text(text)
    assert ALICE.text(once) == once
    assert "s3cr3t-t0ken" not in once
    assert "/home/alice/" not in once


def test_what_is_hidden_is_found_in_the_environment() -> None:
    found = scrubber_of(
        {
            "HOME": "/home/alice", "USER": "alice", "SUDO_USER": "bob", "HOSTNAME": "rabbit-hole.example.org",
            "TOKEN": "s3cr3t-t0ken", "PATH": "/home/alice/bin:/usr/bin", "OMP_NUM_THREADS": "12345678",
            "PYTHON_VERSION": "3.11.7+local", "SHORT": "quick",
        },
        "/home/alice/project",
    )  # fmt: skip
    assert found.folders["/home/alice"] == "~"
    assert found.folders["/home/alice/project"] == ""
    assert {"alice", "bob"} <= set(found.users)
    assert {"rabbit-hole", "rabbit-hole.example.org"} <= set(found.hosts)
    assert found.secrets == ("s3cr3t-t0ken",)
    assert "root" not in found.users


@pytest.mark.parametrize("home", ["", "/", "relative"])
def test_a_home_that_is_none_hides_nothing(home: str) -> None:
    assert "/usr/lib/x" in scrubber_of({"HOME": home}, "/").text("/usr/lib/x")


def test_only_variables_about_how_something_runs_are_public() -> None:
    public = {"OMP_NUM_THREADS", "CUDA_VISIBLE_DEVICES", "LANG", "LC_ALL", "PYTHONHASHSEED"}
    private = {
        "AWS_SECRET_ACCESS_KEY",
        "GITHUB_TOKEN",
        "HF_TOKEN",
        "USER",
        "HOME",
        "SSH_CLIENT",
        "DISPLAY",
        "TERMINAL_KEY",
    }
    assert {name for name in public | private if PUBLIC_VARIABLES.fullmatch(name)} == public


SECRET = "hunter2-0123456789abcdef"
USER_NAME = "alice_quux"
ADDRESSES = ("10.11.12.13", "fe80::abcd:1", "alice.quux@example.org", "52:54:00:12:34:56")
TELLS = f"""
import os
import socket
MESSAGE = " ".join([
    os.environ["FAKE_TOKEN"], os.environ["HOME"] + "/data/x.npy", os.environ["USER"], socket.gethostname(), os.getcwd(),
    __file__, *{ADDRESSES!r},
])
"""


@pytest.fixture
def written(project: Path, add_implementation: Add, tmp_path: Path) -> dict[str, bytes]:
    """Everything that a run and what reads it write, by a user with a name, a home and a secret."""
    home = tmp_path / "homes" / USER_NAME
    home.mkdir(parents=True)
    (tmp_path / "bin").mkdir()
    add_implementation("raises", "raise RuntimeError(MESSAGE)\nyield 0", TELLS)
    add_implementation("shouts", "os.write(2, ('\\n' + MESSAGE).encode())\nos._exit(3)\nyield 0", TELLS)
    add_implementation("leaves", "raise SystemExit(MESSAGE)\nyield 0", TELLS)
    add_implementation("unloadable", "yield 0", f"{TELLS}\nopen(os.environ['HOME'] + '/no/such/file')")
    outside = add_implementation("outside", "yield x.sum() + x.dtype.type(shift)\nyield x - x.mean()")
    outside = outside.rename(home / "outside.py")
    environment = {
        **os.environ, "PYTHONPATH": str(ROOT), "HOME": str(home), "USER": USER_NAME, "LOGNAME": USER_NAME,
        "FAKE_TOKEN": SECRET, "MPLCONFIGDIR": matplotlib.get_cachedir(),  # else fonts are looked for anew: 15 s
    }  # fmt: skip

    def bakeoff(*arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "harness", *arguments],
            cwd=project, env=environment, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        assert done.returncode in (0, 1), done.stderr
        return done.stdout

    sources = {file for file in project.rglob("*") if file.is_file()}
    bakeoff("run", "--where", "n=10", "--impl", str(outside), "--json")
    found = {
        str(file.relative_to(tmp_path)): file.read_bytes()
        for file in tmp_path.rglob("*")
        if file.is_file() and file not in sources and "__pycache__" not in file.parts and file != outside
    }
    for form in ("csv", "json", "text"):
        found[f"table as {form}"] = bakeoff("table", "--format", form).encode()
    return found


def test_nothing_that_is_written_tells_who_or_where(written: dict[str, bytes], project: Path, tmp_path: Path) -> None:
    assert {Path(name).name.split(".")[-1] for name in written} >= {"json", "jsonl", "html"}
    private = [SECRET, USER_NAME, str(tmp_path / "homes"), *ADDRESSES, str(project)]
    if len(socket.gethostname()) > 3 and socket.gethostname() != "localhost":
        private.append(socket.gethostname())
    told = [(name, text) for name, content in written.items() for text in private if text.encode() in content]
    assert told == []
    _leaves_its_mark(_only(written, "records.jsonl"))
    # a new name must be described in the format before it is stored
    assert undescribed(json.loads(_only(written, "environment.json")), ENVIRONMENT) == []


def _only(written: Mapping[str, bytes], name: str) -> str:
    (content,) = (content for file, content in written.items() if file.endswith(name))
    return content.decode()


def _leaves_its_mark(lines: str) -> None:
    """The messages are there, so that the search could have found something."""
    records = [json.loads(line) for line in lines.splitlines()]
    reasons = {record["implementation"]: record["reason"] for record in records if record["instrument"] == "time"}
    for name in ("raises", "leaves"):
        assert f"{VARIABLE} ~/data/x.npy {USER}" in reasons[name]
        assert f"{ADDRESS} {ADDRESS}" in reasons[name]
        assert f"impls/total/{name}.py" in reasons[name]
    assert f"{VARIABLE} ~/data/x.npy {USER}" in reasons["shouts"]
    assert "'~/no/such/file'" in reasons["unloadable"]
    assert {record["origin"] for record in records} == {"project", "path ~/outside.py"}


def undescribed(value: Mapping[str, Any], fields: Fields, place: str = "") -> list[str]:
    described = {**fields.required, **fields.optional}
    found = [f"{place}{name}" for name in value if name not in described]
    for name, shape in described.items():
        inner = shape.shape if isinstance(shape, Each) else shape
        if name != "settings" and name in value and isinstance(inner, Fields):
            parts = value[name] if isinstance(shape, Each) else [value[name]]
            found += [text for part in parts for text in undescribed(part, inner, f"{place}{name}.")]
    return found


def test_the_guard_can_fail() -> None:
    assert undescribed({"machine": {"host": "x"}, "who": 1, "gpus": [{"serial": 1}]}, ENVIRONMENT) == [
        "who",
        "machine.host",
        "gpus.serial",
    ]


def test_doctor_shows_all_that_is_stored_about_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Under the same names; what it measures besides takes half a minute and is left out here."""
    nothing = Machine(noise=(), ceilings=(), dispatch_ns={}, worker_start_ms=1.0, interpreter_start_ms=1.0)
    monkeypatch.setattr(examining, "measure_machine", lambda seed, on_step: nothing)
    shown = json.loads(json.dumps(examining.examine(ROOT, lambda step: None)))
    stored = json.loads(json.dumps(describe_environment(ROOT)))
    changing = {"started_at", "load_average"}
    assert {name: shown[name] for name in stored if name not in {*changing, "machine"}} == {
        name: stored[name] for name in stored if name not in {*changing, "machine"}
    }
    assert shown["machine"].keys() == stored["machine"].keys()
    of_the_request = {"profile", "seed", "devices", "instruments", "request", "settings"}
    assert ENVIRONMENT.optional.keys() - shown.keys() == of_the_request
