"""An estimate with its interval drawn against the band that decides a claim, as a small inline SVG."""

from __future__ import annotations

import math
from collections.abc import Callable

from markupsafe import Markup, escape

from harness.contract import Band
from harness.reporting import text
from harness.statistics import Estimate

WIDTH, MARGIN = 240.0, 12.0
_LOG_SPAN = 5.0


def draw_interval(estimate: Estimate | None, band: Band, unit: str, verdict: str, *, labelled: bool) -> Markup:
    """The band as a block, the interval as a line with a dot; open ends run off the edge.

    :param labelled: print the band's ends and the estimate into the drawing.
    """
    place = _scale(estimate, band)
    top = 20.0 if labelled else 8.0
    height = 44.0 if labelled else 16.0
    parts = [_band(band, place, top), _axis(top)]
    if estimate is not None:
        parts.append(_estimate(estimate, place, top))
    if labelled:
        parts.append(_labels(estimate, band, unit, place, top))
    description = (
        f"{text.estimate_with_interval(estimate, unit)}; the claim holds for {text.band(band, unit)}: {verdict}"
    )
    return Markup('<svg class="interval" viewBox="0 0 {:.0f} {:.0f}" role="img" aria-label="{}">{}</svg>').format(
        WIDTH, height, description, Markup("").join(parts)
    )


def _scale(estimate: Estimate | None, band: Band) -> Callable[[float], float]:
    """From a value to a horizontal place; logarithmic where everything is positive and far apart."""
    shown = [band.low, band.high]
    if estimate is not None:
        shown += [estimate.value, estimate.low, estimate.high]
    finite = sorted({value for value in shown if math.isfinite(value)}) or [0.0]
    log = finite[0] > 0 and finite[-1] / finite[0] > _LOG_SPAN
    turn: Callable[[float], float] = math.log if log else float
    low, high = turn(finite[0]), turn(finite[-1])
    padding = 0.18 * (high - low) or 0.5 * abs(high) or 1.0
    low, high = low - padding, high + padding

    def place(value: float) -> float:
        if math.isinf(value):
            return 0.0 if value < 0 else WIDTH
        share = (turn(value) - low) / (high - low)
        return MARGIN + share * (WIDTH - 2 * MARGIN)

    return place


def _band(band: Band, place: Callable[[float], float], top: float) -> Markup:
    left, right = place(band.low), place(band.high)
    width = max(right - left, 2.0)
    return Markup('<rect class="band" x="{:.1f}" y="{:.0f}" width="{:.1f}" height="12"/>').format(left, top - 6, width)


def _axis(top: float) -> Markup:
    return Markup('<path class="axis" d="M0 {0:.0f}H{1:.0f}"/>').format(top, WIDTH)


def _estimate(estimate: Estimate, place: Callable[[float], float], top: float) -> Markup:
    dot = Markup('<circle class="dot" cx="{:.1f}" cy="{:.0f}" r="4"/>').format(place(estimate.value), top)
    if not estimate.has_interval or estimate.low == estimate.high:
        return dot
    left, right = place(estimate.low), place(estimate.high)
    caps = Markup("").join(
        Markup("M{:.1f} {:.0f}v8").format(end, top - 4)
        for end, value in ((left, estimate.low), (right, estimate.high))
        if math.isfinite(value)
    )
    line = Markup('<path class="range" d="M{:.1f} {:.0f}H{:.1f}{}"/>').format(left, top, right, caps)
    return line + dot


def _labels(estimate: Estimate | None, band: Band, unit: str, place: Callable[[float], float], top: float) -> Markup:
    ends = [value for value in (band.low, band.high) if math.isfinite(value)]
    words = text.band(band, unit)
    middle = sum(place(value) for value in ends) / len(ends) if ends else WIDTH / 2
    labels = [_label("band-label", middle, top + 19, words)]
    if estimate is not None:
        labels.append(_label("dot-label", place(estimate.value), top - 9, text.quantity(estimate.value, unit)))
    return Markup("").join(labels)


def _label(kind: str, place: float, height: float, words: str) -> Markup:
    """Centred on its place, but never cut by an edge; six units a letter is what 11 px text needs at the most."""
    half = min(len(words) * 6.2, WIDTH) / 2
    centred = min(max(place, half), WIDTH - half)
    return Markup('<text class="{}" x="{:.1f}" y="{:.0f}">{}</text>').format(kind, centred, height, escape(words))
