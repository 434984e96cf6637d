"""How every figure looks: one width, one palette that also differs by marker, and colours that follow the theme."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import matplotlib as mpl
import seaborn as sns
from markupsafe import Markup
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from harness.reporting.svg import inline_svg

WIDTH = 400.0
FONT = 12.0

INK, MUTED, GRID = "#1f2428", "#5b6570", "#d5dae0"
# After Okabe and Ito, darkened until each has a contrast of 3 to 1 on white; the page's style sheet has the pairs for
# a dark ground under the same names.
SERIES = ("#0067a8", "#c24e00", "#00805c", "#b0468c", "#8a6a00", "#6a51a3", "#2a8fbd")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "p", "h")

_VARIABLES = {INK: "ink", MUTED: "muted", GRID: "grid"} | {
    colour: f"series-{number}" for number, colour in enumerate(SERIES, start=1)
}


@dataclass(frozen=True)
class Series:
    """How one contestant is drawn in every figure of its suite."""

    colour: str
    marker: str
    dashed: bool = False


def assign_series(names: Sequence[str], baseline: str) -> dict[str, Series]:
    """A look per contestant: the baseline in ink, the others in colours and markers that repeat only together."""
    looks = {
        name: Series(SERIES[place % len(SERIES)], MARKERS[place % len(MARKERS)])
        for place, name in enumerate(name for name in names if name != baseline)
    }
    return looks | ({baseline: Series(INK, "o", dashed=True)} if baseline in names else {})


def draw(key: str, height: float, description: str, paint: Callable[[Figure], None]) -> Markup:
    """The SVG of what ``paint`` draws into a figure of :data:`WIDTH` by ``height`` pixels.

    :param key: unique on the page; it keeps the ids inside apart.
    :param description: what is read out in the figure's place.
    """
    with _look():
        figure = Figure(figsize=(WIDTH / 72, height / 72), layout="constrained")
        FigureCanvasSVG(figure)
        paint(figure)
        buffer = io.StringIO()
        nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
        figure.savefig(buffer, format="svg", metadata=nothing, transparent=True)
    return inline_svg(buffer.getvalue(), re.sub(r"[^\w-]", "-", key), description, _VARIABLES)


@contextmanager
def _look() -> Iterator[None]:
    settings = {
        **sns.axes_style("ticks"),
        "axes.edgecolor": MUTED,
        "axes.grid": True,
        "axes.labelcolor": INK,
        "axes.labelsize": FONT,
        "axes.linewidth": 0.8,
        "axes.spines.right": False,
        "axes.spines.top": False,
        "figure.constrained_layout.h_pad": 3 / 72,
        "figure.constrained_layout.w_pad": 3 / 72,
        "font.family": "DejaVu Sans",
        "font.size": FONT,
        "grid.color": GRID,
        "grid.linewidth": 0.8,
        "legend.fontsize": FONT - 0.5,
        "legend.frameon": False,
        "legend.borderpad": 0.0,
        "legend.labelspacing": 0.35,
        "lines.linewidth": 1.6,
        "lines.markersize": 7.0,
        "lines.markeredgewidth": 0.0,
        "patch.linewidth": 0.0,
        "svg.fonttype": "none",
        "svg.hashsalt": "bakeoff",
        "text.color": INK,
        "text.parse_math": False,
        "xtick.color": MUTED,
        "xtick.labelcolor": INK,
        "xtick.labelsize": FONT,
        "xtick.major.size": 4.0,
        "ytick.color": MUTED,
        "ytick.labelcolor": INK,
        "ytick.labelsize": FONT,
        "ytick.major.size": 4.0,
    }
    with mpl.rc_context(settings):
        yield
