"""Damaged, foreign and hostile files: the error names file and line, the good records load, no file changes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from harness.json_files import LARGEST_LINE_BYTES
from harness.loading import MOST_WARNINGS, find_runs, load_run, resolve_run, resumable
from harness.printable import is_printable
from harness.records import FORMAT
from harness.store import StoreError

from .building import HOSTILE, line, load_lines, rounds, write


@pytest.mark.parametrize(
    ("bad", "warning"),
    [
        ('{"format": 2, "suite": "x"', "it is no JSON: Expecting"),
        ("[1, 2]", "a record is a JSON object, not list"),
        ("null", "a record is a JSON object"),
        ('"a text"', "a record is a JSON object"),
        ('{"id": 7, "name": "somebody else\'s"}', "this is no record of bakeoff"),
        (line(format=FORMAT + 1), "update bakeoff"),
        ("\x00\x00\x00\x00", "it is no JSON"),
        (b"\xff\xfe garbage", "it is no UTF-8: byte 0xff at position 1"),
        (line().encode().replace(b"implementation", b"implement\xffation"), "it is no UTF-8"),
        ("[" * 100_000, "it is nested too deeply"),
        (line().replace('"n": 1', '"n": ' + '{"a": ' * 5000 + "1" + "}" * 5000), "it is nested too deeply"),
        (line().replace('"seed": 7', '"seed": ' + "9" * 5000), "a number of too many digits"),
        (line().replace("12.5", "1e999"), "samples[0].duration_ns.call is Infinity, must be a finite number"),
        (line().replace("12.5", "NaN"), "samples[0].duration_ns.call is NaN, must be a finite number"),
        (line().replace("12.5", "-Infinity"), "samples[0].duration_ns.call is -Infinity"),
        (line().replace('"seed": 7', '"seed": 7, "seed": 8'), "the name 'seed' twice"),
        (line(0, origin="again"), "the same trial as in line 1, which counts"),
        (line(1, suite="\ud800" * 300), "suite is a name of over 250 characters"),
        ("x" * (LARGEST_LINE_BYTES + 5), "the line is longer than 8 MiB"),
        (line(1, reason="x" * LARGEST_LINE_BYTES), "the line is longer than 8 MiB"),
    ],
)
def test_a_bad_line_is_named_and_the_good_ones_load(tmp_path: Path, bad: str | bytes, warning: str) -> None:
    run = load_lines(tmp_path / "run", [line(0), bad, line(5)])
    assert rounds(run) == [0, 5]
    assert len(run.warnings) == 1
    assert run.warnings[0].startswith("records.jsonl:2: ")
    assert warning in run.warnings[0]
    assert is_printable(run.warnings[0])


def test_a_line_at_the_limit_is_read(tmp_path: Path) -> None:
    padding = LARGEST_LINE_BYTES - len(line(1, origin="")) - 1
    run = load_lines(tmp_path / "run", [line(0), line(1, origin="x" * padding), line(2)])
    assert rounds(run) == [0, 1, 2]
    assert len(run.records[1].origin) == 2000


def test_the_first_of_two_counts(tmp_path: Path) -> None:
    run = load_lines(tmp_path / "run", [line(3, origin="first"), "", line(3, origin="second"), line(3), line(4)])
    assert [record.origin for record in run.records] == ["first", ""]
    assert [warning.split(": ")[0] for warning in run.warnings] == ["records.jsonl:3", "records.jsonl:4"]


def test_a_cut_off_end_is_called_so(tmp_path: Path) -> None:
    folder = write(tmp_path / "run", [line(0), line(1)])
    whole = (folder / "records.jsonl").read_bytes()
    (folder / "records.jsonl").write_bytes(whole[:-20])
    run = load_run(folder)
    assert rounds(run) == [0]
    assert run.warnings[0].startswith("records.jsonl:2: the line is cut off")
    (folder / "records.jsonl").write_bytes(whole[:-1])  # only the line's end is missing: the record is whole
    assert rounds(load_run(folder)) == [0, 1]


def test_line_ends_and_marks_of_other_systems(tmp_path: Path) -> None:
    run = load_lines(tmp_path / "run", [b"\xef\xbb\xbf" + line(0).encode() + b"\r", b"\r", line(1).encode() + b"\r"])
    assert rounds(run) == [0, 1]
    assert run.warnings == ()


def test_warnings_have_an_end(tmp_path: Path) -> None:
    run = load_lines(tmp_path / "run", [*(["{"] * (MOST_WARNINGS + 20)), line(1)])
    assert rounds(run) == [1]
    assert len(run.warnings) == MOST_WARNINGS + 1
    assert run.warnings[-1] == "records.jsonl: 20 more lines could not be read"


def test_a_huge_line_is_not_read_whole(tmp_path: Path) -> None:
    """A line of 600 MB between two good ones, read by a process that may not hold half of it."""
    folder = write(tmp_path / "run", [line(0)])
    with (folder / "records.jsonl").open("r+b") as file:
        file.seek(600 * 10**6)  # a hole, which takes no room on the disk
        file.write(b"\n" + line(5).encode() + b"\n")
        file.seek(len(line(0)) + 1)
        file.write(b"[")
    program = (
        "import resource, sys\n"
        "from pathlib import Path\n"
        "from harness.loading import load_run\n"
        "limit = 250 * 10**6\n"
        "resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))\n"
        "run = load_run(Path(sys.argv[1]))\n"
        "print([record.trial.round for record in run.records], run.warnings)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(folder)], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.stdout.startswith("[0, 5] ('records.jsonl:2: the line is longer than 8 MiB"), done.stderr


@pytest.mark.parametrize("name", ["environment.json", "records.jsonl"])
def test_what_is_no_file_is_an_error_and_blocks_nothing(tmp_path: Path, name: str) -> None:
    def becomes(make: str) -> Path:
        folder = write(tmp_path / make, [line(0)])
        file = folder / name
        file.unlink()
        if make == "pipe":
            os.mkfifo(file)
        elif make == "folder":
            file.mkdir()
        elif make == "loop":
            file.symlink_to(file)
        elif make == "device":
            file.symlink_to("/dev/zero")
        return folder

    for make, message in [
        ("pipe", "a pipe or a device"),
        ("folder", "a folder, not a file"),
        ("loop", "Too many levels of symbolic links"),
        ("device", "a pipe or a device"),
    ]:
        folder = becomes(make)
        with pytest.raises(StoreError, match=message) as error:
            load_run(folder)
        assert name in str(error.value)
        assert resolve_run(tmp_path / "nowhere", str(folder)) == folder  # named by its path, the error is about it
        (folder / name).rmdir() if make == "folder" else (folder / name).unlink()


def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    folder = write(tmp_path / "run", [line(0)])
    (folder / "records.jsonl").chmod(0)
    if os.access(folder / "records.jsonl", os.R_OK):
        (folder / "records.jsonl").chmod(0o600)
        pytest.skip("this user may read everything")
    with pytest.raises(StoreError, match=r"records\.jsonl cannot be read: Permission denied"):
        load_run(folder)
    (folder / "records.jsonl").chmod(0o600)


def test_reading_changes_nothing(tmp_path: Path) -> None:
    """Neither bytes nor times, whatever is wrong, and no file is added."""
    folder = write(tmp_path / "run", [line(0), "{", line(0), line(format=99), "x" * 10], {"format": 1, "gpus": 3})

    def state() -> list[tuple[str, bytes, int]]:
        return [(file.name, file.read_bytes(), file.stat().st_mtime_ns) for file in sorted(folder.iterdir())]

    before = state()
    assert len(load_run(folder).warnings) == 5
    assert state() == before


def test_a_run_without_records_has_none(tmp_path: Path) -> None:
    folder = write(tmp_path / "run", [])
    (folder / "records.jsonl").unlink()
    assert load_run(folder).records == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"{", "is not JSON that can be read: it is no JSON"),
        (b"[1, 2]", "is not a JSON object"),
        (b"\xff{}", "it is no UTF-8"),
        (b"[" * 100_000, "nested too deeply"),
        (b" " * (9 * 2**20), "larger than 8 MiB"),
        (b'{"format": 99}', "format 99, which is newer than this program reads .* update bakeoff"),
        (b"", "it is no JSON"),
    ],
)
def test_an_environment_that_is_none(tmp_path: Path, text: bytes, message: str) -> None:
    folder = write(tmp_path / "run", [line(0)])
    (folder / "environment.json").write_bytes(text)
    with pytest.raises(StoreError, match=message) as error:
        load_run(folder)
    assert "environment.json" in str(error.value)


def test_parts_of_an_environment_that_do_not_fit_are_left_out(tmp_path: Path) -> None:
    environment = {
        "format": 1,
        "machine": {"cpu": ["a", "list"], "cpus": 2, "load_average": [float("nan")], "colour": "red"},
        "gpus": "none",
        "ceilings": [{"device": "cpu", "dtype": "float32", "threads": 1, "matmul_flops_per_s": 0}],
        "profile": "hasty",
        "later": {"key": ["kept"]},
        "request": {"selection": "knn", "pin": True},
    }
    run = load_run(write(tmp_path / "run", [line(0)], environment))
    assert run.environment == {
        "format": 1,
        "machine": {"cpus": 2, "colour": "red"},
        "later": {"key": ["kept"]},
        "request": {"pin": True},
    }
    assert [warning.split(" is ")[0] for warning in run.warnings] == [
        "environment.json: machine.cpu",
        "environment.json: machine.load_average[0]",
        "environment.json: gpus",
        "environment.json: ceilings[0].matmul_flops_per_s",
        "environment.json: profile the text 'hasty'",
        "environment.json: request.selection",
    ]
    assert rounds(run) == [0]


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"seed": 1}, "profile is missing"),
        ({"profile": "quick"}, "seed is missing"),
        ({"profile": "quick", "seed": "7"}, "seed is the text '7'"),
        ({"profile": "quick", "seed": 7, "machine": []}, "machine is a list of 0"),
    ],
)
def test_a_run_is_resumed_only_with_a_whole_environment(
    tmp_path: Path, environment: dict[str, object], message: str
) -> None:
    """Going on writes the environment again, and would lose what could not be read."""
    with pytest.raises(StoreError, match=message):
        resumable(load_run(write(tmp_path / "run", [line(0)], environment)))
    good = load_run(write(tmp_path / "good", [line(0), "{"], {"profile": "quick", "seed": 7}))
    assert resumable(good) is good


def test_runs_are_found_by_name_by_path_and_as_the_newest(tmp_path: Path) -> None:
    first, last = write(tmp_path / "m" / "20260101-quick", []), write(tmp_path / "n" / "20260102-quick", [])
    write(tmp_path / "published" / "m" / "20270101-full", [])
    assert resolve_run(tmp_path, None) == last
    assert resolve_run(tmp_path, "20260101-quick") == first
    assert resolve_run(tmp_path, str(first)) == first
    with pytest.raises(StoreError, match=r"there are: .*20260102-quick"):
        resolve_run(tmp_path, "other")
    with pytest.raises(StoreError, match="make one with: bakeoff run"):
        resolve_run(tmp_path / "empty", None)


def test_the_same_name_on_two_machines_must_be_told_apart(tmp_path: Path) -> None:
    for machine in ("m", "n"):
        write(tmp_path / machine / "run", [])
    with pytest.raises(StoreError, match="2 runs are named 'run'"):
        resolve_run(tmp_path, "run")


def test_a_folder_without_a_run_is_none(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="holds no run"):
        load_run(tmp_path)


def test_a_run_is_called_by_its_folder_however_it_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write(tmp_path / "m" / "run", [])
    monkeypatch.chdir(folder)
    assert load_run(Path()).name == "run"
    assert load_run(resolve_run(tmp_path, ".")).name == "run"
    monkeypatch.chdir(tmp_path)
    assert load_run(Path("m/x/../run")).name == "run"


def test_folders_that_loop_or_have_strange_names(tmp_path: Path) -> None:
    good = write(tmp_path / "m" / "run", [])
    (tmp_path / "m" / "loop").symlink_to(tmp_path)
    (tmp_path / "m" / "environment.json").mkdir()
    os.mkfifo(tmp_path / "m" / "loop.jsonl")
    assert find_runs(tmp_path) == [good]
    strange = os.fsdecode(b"\xff\x1b[2J\n")
    write(tmp_path / "m" / strange, [])
    (tmp_path / "m" / HOSTILE[0].replace("/", "")).mkdir()
    with pytest.raises(StoreError) as error:
        resolve_run(tmp_path, "\x1b]0;other\x07")
    assert is_printable(str(error.value))
    assert is_printable(load_run(tmp_path / "m" / strange).name)


def test_the_folder_of_results_may_be_unreadable(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert find_runs(tmp_path / "file") == []
    assert find_runs(tmp_path / "nowhere") == []
