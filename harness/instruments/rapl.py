"""RAPL: the energy counters of Intel and AMD CPUs as Linux shows them under ``/sys/class/powercap``.

The names are the same for both makers (kernel documentation, power/powercap/powercap.rst). The packages are summed:
cores and their caches, on some models without the DRAM.
"""

from __future__ import annotations

import re
from pathlib import Path

from harness.instruments import InstrumentUnavailable

POWERCAP = Path("/sys/class/powercap")


class RaplSensor:
    """The energy of all CPU packages together; counts only, power is not told.

    :param powercap: the folder with a folder ``intel-rapl:N`` for each top-level domain.
    :raises InstrumentUnavailable: there are none, or they may not be read; the message says what to do.
    """

    def __init__(self, powercap: Path = POWERCAP) -> None:
        self._packages = [_Package(folder) for folder in _package_folders(powercap)]
        if not self._packages:
            raise InstrumentUnavailable(
                f"no RAPL energy counter of a CPU package under {powercap}; on hardware: modprobe intel_rapl_msr; "
                "a virtual machine is not shown its host's"
            )
        self.energy_j()

    def energy_j(self) -> float:
        """Joules counted by all packages; goes on across the wrap-around of each.

        :raises InstrumentUnavailable: a counter cannot be read.
        """
        return sum(package.energy_j() for package in self._packages)

    def power_w(self) -> float:
        raise InstrumentUnavailable("RAPL counts energy only")


class _Package:
    """One counter, which starts again from 0 beyond ``max_energy_range_uj``."""

    def __init__(self, folder: Path) -> None:
        self._counter = folder / "energy_uj"
        self._range_uj = _read_uj(folder / "max_energy_range_uj")
        self._last_uj = _read_uj(self._counter)
        self._wraps = 0

    def energy_j(self) -> float:
        now_uj = _read_uj(self._counter)
        self._wraps += now_uj < self._last_uj
        self._last_uj = now_uj
        return (now_uj + self._wraps * self._range_uj) / 1e6


def _package_folders(powercap: Path) -> list[Path]:
    """The top-level domains that are packages.

    ``psys`` is a top-level domain too, but counts the whole platform with the packages in it.
    """
    folders = [folder for folder in powercap.glob("intel-rapl:*") if re.fullmatch(r"intel-rapl:\d+", folder.name)]
    return sorted(folder for folder in folders if _domain(folder).startswith("package"))


def _domain(folder: Path) -> str:
    try:
        return (folder / "name").read_text()
    except OSError:
        return ""


def _read_uj(file: Path) -> int:
    try:
        return int(file.read_text())
    except PermissionError as error:
        raise InstrumentUnavailable(f"{file} may not be read; as root: chmod a+r {file}") from error
    except (OSError, ValueError) as error:
        raise InstrumentUnavailable(f"{file} cannot be read: {error}") from error
