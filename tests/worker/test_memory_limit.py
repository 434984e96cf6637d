"""The memory that a worker may take: what is left, divided among those beside it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from harness.worker.memory_limit import available_bytes

ROOT = Path(__file__).parents[2]

PROGRAM = """
import mmap
from harness.worker.memory_limit import MemoryLimit, available_bytes

GIB = 1 << 30

def take():
    kept = []
    try:
        while len(kept) < 4096:
            kept.append(mmap.mmap(-1, GIB // 4, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS))
    except (OSError, MemoryError):
        pass
    return len(kept) / 4

limit = MemoryLimit({device!r})
available = available_bytes() / GIB
taken = []
for side_by_side in (1, 2, 1, 8, 1000):
    limit.allow(side_by_side)
    taken.append(take() / available)
print(*taken)
"""


def taken_shares(device: str) -> list[float]:
    """What could be taken of what was available, with 1, 2, 1, 8 and 1000 workers side by side."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(device=device)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [float(word) for word in done.stdout.split()]


@pytest.mark.skipif(sys.platform != "linux", reason="other systems count mappings otherwise")
def test_a_worker_gets_its_part_and_no_more() -> None:
    alone, half, again, eighth, least = taken_shares("cpu")
    assert 0.6 < alone < 0.85
    assert 0.3 < half < 0.45
    assert again == pytest.approx(alone, abs=0.1)
    assert 0 < eighth < 0.15
    assert least == pytest.approx(eighth, abs=0.03)


def test_a_control_groups_limit_counts_where_it_is_lower(tmp_path: Path) -> None:
    machine = available_bytes(tmp_path)
    (tmp_path / "memory.current").write_text("3000\n")
    (tmp_path / "memory.stat").write_text("anon 1\ninactive_file 500\nactive_file 7\n")
    (tmp_path / "memory.max").write_text("max\n")
    assert available_bytes(tmp_path) == pytest.approx(machine, rel=0.2)
    (tmp_path / "memory.max").write_text("10000\n")
    assert available_bytes(tmp_path) == 7500
    (tmp_path / "memory.max").write_text("1000\n")
    assert available_bytes(tmp_path) == 0
