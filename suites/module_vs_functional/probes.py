"""What the claims compare and count without a clock."""

from __future__ import annotations

from harness.contract import Probe
from suites.module_vs_functional.equality import bits_that_differ, defaults_that_differ
from suites.module_vs_functional.frames import frames
from suites.module_vs_functional.state import state

PROBES = {
    "bits": Probe(bits_that_differ, unit="calls"),
    "defaults": Probe(defaults_that_differ, unit="pairs"),
    "state": Probe(state, unit="failures"),
    "frames": Probe(frames, unit="per call"),
}
