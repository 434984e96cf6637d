"""How every figure looks: one width, one palette that also differs by marker, and colours that follow the theme."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import Any

import matplotlib as mpl
import seaborn as sns

WIDTH = 400.0
FONT = 12.0

INK, MUTED, GRID = "#1f2428", "#5b6570", "#d5dae0"
# After Okabe and Ito, darkened until each has a contrast of 3 to 1 on white; the page's style sheet has the pairs for
# a dark ground under the same names.
SERIES = ("#0067a8", "#c24e00", "#00805c", "#b0468c", "#8a6a00", "#6a51a3", "#2a8fbd")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "p", "h")

BAND, BAD, GROUND = "#b9d9ee", "#a3271a", "#ffffff"

VARIABLES = {INK: "ink", MUTED: "muted", GRID: "grid", BAND: "band", BAD: "bad", GROUND: "ground"} | {
    colour: f"series-{number}" for number, colour in enumerate(SERIES, start=1)
}
"""By colour the page's CSS variable that stands for it in either theme."""


@dataclass(frozen=True)
class Series:
    """How one contestant is drawn in every figure of its suite."""

    colour: str
    marker: str
    dashed: bool = False


def assign_series(meetings: Mapping[str, Collection[object]], baseline: str) -> dict[str, Series]:
    """A look per contestant: the baseline in ink, each other one that which fewest have whom it meets.

    :param meetings: by contestant the workloads in which it is drawn.
    """
    looks: dict[str, Series] = {}
    for name, own in meetings.items():
        met = [look for other, look in looks.items() if not set(own).isdisjoint(meetings[other])]
        looks[name] = Series(INK, "o", dashed=True) if name == baseline else _least_used(met)
    return looks


def _least_used(met: Sequence[Series]) -> Series:
    pairs = Counter((look.colour, look.marker) for look in met)
    colours, markers = Counter(look.colour for look in met), Counter(look.marker for look in met)
    free = min(product(SERIES, MARKERS), key=lambda pair: (pairs[pair], colours[pair[0]], markers[pair[1]]))
    return Series(*free)


@contextmanager
def look() -> Iterator[None]:
    """The style of all figures that are drawn inside."""
    with mpl.rc_context(_settings()):
        yield


@cache
def _settings() -> Any:
    return {
        **sns.axes_style("ticks"),
        "axes.edgecolor": MUTED,
        "axes.labelcolor": INK,
        "axes.labelsize": FONT,
        "axes.linewidth": 0.8,
        "axes.spines.right": False,
        "axes.spines.top": False,
        "font.family": "DejaVu Sans",
        "font.size": FONT,
        "lines.linewidth": 1.6,
        "lines.markersize": 7.0,
        "lines.markeredgewidth": 0.0,
        "patch.linewidth": 0.0,
        "svg.fonttype": "none",
        "svg.hashsalt": "bakeoff",
        "text.color": INK,
        "text.parse_math": False,
    }
