"""RAPL against folders laid out as Linux lays out powercap, with counters moved by hand or by a replayed time."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.instruments import InstrumentUnavailable
from harness.instruments.energy import EnergyReading, measure_energy
from harness.instruments.rapl import RaplSensor
from tests.instruments.replaying import ReplayedTime

RANGE_UJ = 262_143_328_850
"""What Intel's servers show as ``max_energy_range_uj``."""


def add_domain(powercap: Path, name: str, domain: str, energy_uj: int, range_uj: int = RANGE_UJ) -> Path:
    """A domain; the file of its counter."""
    folder = powercap / name
    folder.mkdir(parents=True)
    (folder / "name").write_text(f"{domain}\n")
    (folder / "max_energy_range_uj").write_text(f"{range_uj}\n")
    (folder / "energy_uj").write_text(f"{energy_uj}\n")
    return folder / "energy_uj"


def test_packages_are_summed_and_nothing_is_counted_twice(tmp_path: Path) -> None:
    """``psys`` holds the packages, and a package its cores; ``intel-rapl-mmio`` shows a package a second time."""
    add_domain(tmp_path, "intel-rapl:0", "package-0", 1_000_000)
    add_domain(tmp_path, "intel-rapl:1", "package-1", 2_500_000)
    add_domain(tmp_path, "intel-rapl:2", "psys", 90_000_000)
    add_domain(tmp_path, "intel-rapl:0:0", "core", 700_000)
    add_domain(tmp_path, "intel-rapl-mmio:0", "package-0", 1_000_000)
    assert RaplSensor(tmp_path).energy_j() == 3.5


def test_it_counts_on_through_the_wrap_of_each_package(tmp_path: Path) -> None:
    first = add_domain(tmp_path, "intel-rapl:0", "package-0", 999_000_000, range_uj=1_000_000_000)
    second = add_domain(tmp_path, "intel-rapl:1", "package-1", 500_000_000, range_uj=1_000_000_000)
    sensor = RaplSensor(tmp_path)
    before_j = sensor.energy_j()
    first.write_text("1000000")
    second.write_text("503000000")
    assert sensor.energy_j() - before_j == pytest.approx(2.0 + 3.0)
    first.write_text("500000000")
    first.write_text("900000000")
    assert sensor.energy_j() - before_j == pytest.approx(901.0 + 3.0)


def test_it_tells_no_power(tmp_path: Path) -> None:
    add_domain(tmp_path, "intel-rapl:0", "package-0", 1)
    with pytest.raises(InstrumentUnavailable, match="RAPL counts energy only"):
        RaplSensor(tmp_path).power_w()


@pytest.mark.parametrize("domain", ["psys", "dram"])
def test_without_a_package_there_is_a_reason_and_something_to_do(tmp_path: Path, domain: str) -> None:
    add_domain(tmp_path, "intel-rapl:0", domain, 1)
    with pytest.raises(InstrumentUnavailable, match=r"no RAPL energy counter .*modprobe intel_rapl_msr"):
        RaplSensor(tmp_path)
    with pytest.raises(InstrumentUnavailable, match="no RAPL energy counter"):
        RaplSensor(tmp_path / "absent")


def test_a_counter_for_root_only_says_how_to_open_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the kernel has shown it since 2020 (CVE-2020-8694); the error is made, since tests may run as root."""
    counter = add_domain(tmp_path, "intel-rapl:0", "package-0", 1)
    read_text = Path.read_text

    def refuse(self: Path, *arguments: object, **options: object) -> str:
        if self == counter:
            raise PermissionError(13, "Permission denied", str(self))
        return read_text(self)

    monkeypatch.setattr(Path, "read_text", refuse)
    with pytest.raises(InstrumentUnavailable, match=r"as root: chmod a\+r .*energy_uj"):
        RaplSensor(tmp_path)


def test_a_counter_that_goes_away_says_so(tmp_path: Path) -> None:
    counter = add_domain(tmp_path, "intel-rapl:0", "package-0", 1)
    sensor = RaplSensor(tmp_path)
    counter.unlink()
    with pytest.raises(InstrumentUnavailable, match="cannot be read"):
        sensor.energy_j()


class ReplayedPowercap(ReplayedTime):
    """Two packages that draw 40 W and, from ``busy_from_s`` on, 90 W together; renewed every 20 ms of replayed time.

    :param wraps_at_s: when the first package's counter passes its range.
    :param restarts_at_s: when it starts again from 0 in the middle of its range, as after a suspension.
    """

    def __init__(self, powercap: Path, wraps_at_s: float, restarts_at_s: float = float("inf")) -> None:
        super().__init__()
        self._start_uj = RANGE_UJ - round(self._package_uj(wraps_at_s))
        self._restarts_at_s = restarts_at_s
        self._shown_s = -1.0
        self._files = [
            add_domain(powercap, f"intel-rapl:{index}", f"package-{index}", energy_uj)
            for index, energy_uj in enumerate((self._start_uj, 5_000_000))
        ]

    @staticmethod
    def _package_uj(now_s: float) -> float:
        busy_from_s = 1.4
        return (20.0 * now_s + 25.0 * max(0.0, now_s - busy_from_s)) * 1e6

    def advance(self, seconds: float) -> None:
        end_s = self.now_s + seconds
        while self.now_s < end_s:
            super().advance(min(0.001, end_s - self.now_s))
            self._show()

    def _show(self) -> None:
        update_s = self.now_s // 0.02 * 0.02
        if update_s == self._shown_s:
            return
        self._shown_s = update_s
        since_uj = round(self._package_uj(update_s))
        first_uj = (self._start_uj + since_uj) % RANGE_UJ
        if update_s >= self._restarts_at_s:
            first_uj = since_uj - round(self._package_uj(self._restarts_at_s))
        for file, energy_uj in zip(self._files, (first_uj, 5_000_000 + since_uj), strict=True):
            file.write_text(f"{energy_uj}\n")


def measure(powercap: Path, time: ReplayedPowercap) -> EnergyReading:
    return measure_energy(
        lambda: time.advance(0.01),
        lambda: None,
        RaplSensor(powercap),
        window_s=0.4,
        clock=time.clock,
        sleep=time.advance,
        background=time.background,
    )


def test_a_wrap_in_the_middle_of_a_window_changes_nothing(tmp_path: Path) -> None:
    """90 W for 10 ms are 0.9 J, where an update is shown a millisecond late at most and seen 2 ms later (one poll)."""
    reading = measure(tmp_path, ReplayedPowercap(tmp_path, wraps_at_s=3.11))
    assert [window.energy_j for window in reading.windows] == pytest.approx([0.9] * 6, rel=0.003 / 0.4)
    assert reading.left_out == 0
    assert reading.idle_power_w == pytest.approx(40.0, rel=0.02)
    assert reading.flags == ("no_sampled_power",)


def test_a_restart_that_looks_like_a_wrap_costs_a_window_and_no_joule(tmp_path: Path) -> None:
    """Taken for a wrap it would be 131 kJ in a few milliseconds, which no CPU draws."""
    time = ReplayedPowercap(tmp_path, wraps_at_s=2000.0, restarts_at_s=3.1)
    reading = measure(tmp_path, time)
    assert [window.energy_j for window in reading.windows] == pytest.approx([0.9] * 6, rel=0.003 / 0.4)
    assert reading.left_out == 1
