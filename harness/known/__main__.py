"""``python -m harness.known KIND``: what one call of known work costs on this machine, measured alone.

The shortest way through the engine: the fork server imports what workers need while this process imports the rest.
"""

from __future__ import annotations

import argparse
import atexit
import gc
import json
import random

from harness.runner.server import ForkServer

KINDS = ("python", "arithmetic", "memory")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m harness.known", description=__doc__)
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("--json", action="store_true", help="print JSON for programs")
    arguments = parser.parse_args()
    atexit.register(gc.freeze)  # else a tenth of a second goes into collecting what ends with the process
    seed = random.SystemRandom().getrandbits(32)
    server = ForkServer(("numpy",))
    server.start_anew(seed)
    from harness.environment import usable_cpu_numbers
    from harness.known.measure import measure_costs
    from harness.statistics import median_estimate
    from harness.worker.orders import ALONE

    costs = measure_costs(arguments.kind, ALONE, seed=seed, cpus=usable_cpu_numbers(), server=server)
    found = median_estimate(costs)
    if arguments.json:
        print(json.dumps({"call_ns": found.value, "low_ns": found.low, "high_ns": found.high}))
    else:
        print(f"{found.value / 1e6:.3f} ms (95 % interval {found.low / 1e6:.3f} to {found.high / 1e6:.3f})")


if __name__ == "__main__":
    main()
