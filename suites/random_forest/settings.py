"""How many features a rule draws."""

from __future__ import annotations

import math


def features_drawn(rule: str, features: int) -> int:
    """``log2``: the whole part of the binary logarithm; ``sqrt``: of the square root; ``all``.

    :raises ValueError: there is no such rule.
    """
    if rule == "all":
        return features
    if rule == "log2":
        return max(1, int(math.log2(features)))
    if rule == "sqrt":
        return max(1, math.isqrt(features))
    raise ValueError(f"a rule is log2, sqrt or all, not {rule!r}")
