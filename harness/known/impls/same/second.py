"""The same work under another name."""

from __future__ import annotations

import numpy as np

from harness.contract import implements
from harness.known.impls.work import work
from harness.known.suites.same.suite import SUITE


@implements(SUITE, dtypes=("float64",))
def same(x: np.ndarray, kind: str, passes: int) -> np.ndarray:
    return work(x, kind, passes, more=0)
