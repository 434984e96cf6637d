"""Tells asv what this machine is: ``python -m harness.adapters.asv_machine NAME``.

``asv machine --yes --machine NAME`` stores the name alone, and figures of machines that are not described cannot be
compared with any other's. What is stored is what a run's environment says too.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from harness.environment import describe_machine


def describe_to_asv(name: str) -> dict[str, str]:
    """What asv keeps of a machine (``asv.machine.Machine.fields``), all of it text."""
    machine = describe_machine()
    return {
        "machine": name,
        "os": str(machine["os"]),
        "arch": str(machine["architecture"]),
        "cpu": str(machine["cpu"]),
        "num_cpu": str(machine["cpus"]),
        "ram": str(machine["memory_bytes"]),
    }


def main(arguments: Sequence[str]) -> int:
    if len(arguments) != 1 or not arguments[0]:
        print("usage: python -m harness.adapters.asv_machine NAME", file=sys.stderr)
        return 2
    from asv.machine import MachineCollection

    MachineCollection.save(arguments[0], describe_to_asv(arguments[0]))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
