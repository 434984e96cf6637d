"""From the SVG file that matplotlib writes to a small inline one that follows the page's theme."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from xml.etree import ElementTree

from markupsafe import Markup

_DROPPED = {"metadata", "style", "clipPath", "defs"}
_NUMBERS = {"d", "transform", "x", "y", "width", "height", "points"}
_INVISIBLE = {"fill: none", "fill:none"}
# What every other declaration of a figure repeats, said once on its root.
_USUAL = {
    "font-size:12px",
    "stroke-linecap:square",
    "stroke-linecap:round",
    "stroke-linejoin:round",
    "text-anchor:start",
}


def inline_svg(source: str, description: str, variables: Mapping[str, str]) -> Markup:
    """The figure as an ``<svg>`` element of an HTML page.

    Nothing is clipped: what is drawn keeps within the axes by itself.

    :param description: what is read out in the figure's place.
    :param variables: by colour the CSS variable that takes its place; the colour stays as the fallback, so that the
        element is complete on its own too.
    """
    root = ElementTree.fromstring(source)
    markers = {element.get("id", ""): element for element in root.iter() if _local(element.tag) == "path"}
    figure = ElementTree.Element("svg", {"class": "chart", "viewBox": root.get("viewBox", "")})
    figure.attrib |= {"role": "img", "aria-label": description}
    figure.attrib |= {"font-size": "12", "fill": "var(--ink, #1f2428)"}
    figure.extend(_joined(_convert_all(root, _Context(markers, variables))))
    return Markup(ElementTree.tostring(figure, encoding="unicode"))


@dataclass(frozen=True)
class _Context:
    """What the conversion of an element needs to know: the marks by their ids, and the variables by colour."""

    markers: Mapping[str, ElementTree.Element]
    variables: Mapping[str, str]


def _convert_all(parent: ElementTree.Element, context: _Context) -> list[ElementTree.Element]:
    return [converted for child in parent for converted in _convert(child, context)]


def _convert(element: ElementTree.Element, context: _Context) -> Iterable[ElementTree.Element]:
    """The element without what a reader never sees; groups give way to their children, marks become paths."""
    tag = _local(element.tag)
    if tag in _DROPPED:
        return []
    children = _convert_all(element, context)
    attributes = {
        name: _value(name, value, context.variables)
        for name, value in ((_local(name), value) for name, value in element.attrib.items())
        if name not in ("id", "clip-path") and not value.startswith("rotate(-0 ")
    }
    if tag == "use":
        tag, attributes = "path", _as_path(element, context)
    invisible = tag == "path" and attributes.get("style") in _INVISIBLE
    if invisible or (tag == "g" and not children):
        return []
    if tag == "g" and not attributes:
        return children
    if not attributes.get("style", "-"):
        del attributes["style"]
    converted = ElementTree.Element(tag, attributes)
    converted.extend(children)
    converted.text = element.text if tag == "text" or tag == "tspan" else None
    return [converted]


def _as_path(use: ElementTree.Element, context: _Context) -> dict[str, str]:
    """A mark at its place as a path of its own."""
    href = next(value for name, value in use.attrib.items() if _local(name) == "href")
    marker = context.markers[href.removeprefix("#")]
    outline = marker.get("d", "")
    x, y = float(use.get("x", "0")), float(use.get("y", "0"))
    numbers = [float(number) for number in re.findall(r"-?\d+(?:\.\d+)?", outline)]
    style = f"{marker.get('style', '')};{use.get('style', '')}".strip(";")
    if "C" in outline:  # the only curved mark is the disc
        radius = max(map(abs, numbers))
        arc = f"a{_number(radius)} {_number(radius)} 0 1 0 "
        d = f"M{_number(x - radius)} {_number(y)}{arc}{_number(2 * radius)} 0{arc}{_number(-2 * radius)} 0z"
    else:
        points = list(zip(numbers[::2], numbers[1::2], strict=True))
        steps = [f"{_number(to[0] - at[0])} {_number(to[1] - at[1])}" for at, to in pairwise(points)]
        d = f"M{_number(x + points[0][0])} {_number(y + points[0][1])}l{' '.join(steps)}z"
    return {"d": d, "style": _style(style, context.variables)}


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0").replace("-0.", "-.").removeprefix("0") or "0"


def _joined(elements: Sequence[ElementTree.Element]) -> list[ElementTree.Element]:
    """Neighbouring paths of one look become one path."""
    kept: list[ElementTree.Element] = []
    for element in elements:
        last = kept[-1] if kept else None
        plain = element.tag == "path" and set(element.attrib) == {"d", "style"}
        if last is not None and plain and last.tag == "path" and last.attrib == {**element.attrib, "d": last.get("d")}:
            last.set("d", last.get("d", "") + element.get("d", ""))
        else:
            kept.append(element)
    return kept


def _value(name: str, value: str, variables: Mapping[str, str]) -> str:
    if name == "style":
        return _style(value, variables)
    if name in _NUMBERS:
        value = re.sub(r"-?\d+\.\d+", lambda found: f"{float(found[0]):.1f}".removesuffix(".0"), value)
        value = re.sub(r"\s*([A-Za-z])\s*", r"\1", value.strip()) if name == "d" else value
    return value


def _style(style: str, variables: Mapping[str, str]) -> str:
    """The page's own font, and its colours under their names."""
    kept = []
    for declaration in style.split(";"):
        name, _, value = (part.strip() for part in declaration.partition(":"))
        if name == "font":
            size = re.search(r"[\d.]+px", value)
            kept.append(f"font-size:{size[0] if size else 'inherit'}")
        elif name and name != "font-family":
            kept.append(f"{name}:{_themed(value, variables)}")
    return ";".join(part for part in kept if part not in _USUAL and part != "fill:var(--ink, #1f2428)")


def _themed(value: str, variables: Mapping[str, str]) -> str:
    return f"var(--{variables[value]}, {value})" if value in variables else value


def _local(name: str) -> str:
    """The name without its namespace."""
    return name.rpartition("}")[2]
