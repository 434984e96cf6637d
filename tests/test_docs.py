"""What README and CONTRIBUTING show works to the letter."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LONGEST_IMPLEMENTATION = 15


def code_files(document: str) -> dict[str, str]:
    """The Python blocks of a document that begin with a comment naming their file."""
    blocks = re.findall(r"```python\n# (\S+\.py)\n(.*?)```", (ROOT / document).read_text(encoding="utf-8"), re.DOTALL)
    return dict(blocks)


def bakeoff(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "harness", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.mark.parametrize(
    ("document", "name"), [("README.md", "mine.py"), ("CONTRIBUTING.md", "impls/knn/numpy_sort.py")]
)
def test_the_implementation_shown_is_short_and_right(tmp_path: Path, document: str, name: str) -> None:
    text = code_files(document)[name]
    assert len([line for line in text.splitlines() if line.strip()]) < LONGEST_IMPLEMENTATION
    file = tmp_path / Path(name).name
    file.write_text(text)
    done = bakeoff(ROOT, "check", f"*/{file.stem}", "--impl", str(file), "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    statuses = [check["status"] for check in json.loads(done.stdout)["checks"]]
    assert statuses.count("ok") >= 3


def test_the_topic_shown_is_a_whole_topic(tmp_path: Path) -> None:
    """Written into an empty project as shown, it lists, checks, runs and gives a verdict."""
    (tmp_path / "pyproject.toml").write_text("[tool.bakeoff]\npreload = ['numpy']\n")
    for name, text in code_files("CONTRIBUTING.md").items():
        if "prefix_sum" in name:
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text)
    done = bakeoff(tmp_path, "run", "prefix_sum", "--json", "--no-report")
    assert done.returncode == 0, done.stderr
    (claim,) = json.loads(bakeoff(tmp_path, "claims", "--json").stdout)
    assert claim["id"] == "prefix_sum.1"
    assert claim["verdict"] in ("reproduced", "refuted", "inconclusive")


def test_the_readme_names_only_commands_and_targets_that_exist() -> None:
    """Every ``bakeoff COMMAND`` and ``make TARGET`` in the documents."""
    text = "".join((ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "CONTRIBUTING.md"))
    shown = bakeoff(ROOT, "--help").stdout
    for command in set(re.findall(r"^bakeoff ([a-z]+)", text, re.MULTILINE)):
        assert re.search(rf"^\s*{command}\b", shown, re.MULTILINE), command
    makefile = (ROOT / "Makefile").read_text()
    for target in set(re.findall(r"(?:^|`)make ([a-z]+)", text, re.MULTILINE)):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
