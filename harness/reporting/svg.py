"""From the SVG file that matplotlib writes to a small inline one that follows the page's theme."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from xml.etree import ElementTree

from markupsafe import Markup

_DROPPED = {"metadata", "style"}
_NUMBERS = {"d", "transform", "x", "y", "width", "height", "points"}
_INVISIBLE = {"fill: none", "fill:none"}


def inline_svg(source: str, key: str, description: str, variables: Mapping[str, str]) -> Markup:
    """The figure as an ``<svg>`` element of an HTML page.

    :param key: unique on the page; it keeps the ids inside apart from those of other figures.
    :param description: what is read out in the figure's place.
    :param variables: by colour the CSS variable that takes its place; the colour stays as the fallback, so that the
        element is complete on its own too.
    """
    root = ElementTree.fromstring(source)
    ids = {reference: f"{key}-{number}" for number, reference in enumerate(sorted(_references(root)))}
    figure = ElementTree.Element("svg", {"class": "chart", "viewBox": root.get("viewBox", "")})
    figure.attrib |= {"role": "img", "aria-label": description}
    figure.extend(_convert_all(root, ids, variables))
    return Markup(ElementTree.tostring(figure, encoding="unicode"))


def _references(root: ElementTree.Element) -> set[str]:
    values = [value for element in root.iter() for value in element.attrib.values()]
    return {name for value in values for name in re.findall(r"^(?:url\()?#([\w-]+)\)?$", value)}


def _convert_all(
    parent: ElementTree.Element, ids: Mapping[str, str], variables: Mapping[str, str]
) -> list[ElementTree.Element]:
    return [converted for child in parent for converted in _convert(child, ids, variables)]


def _convert(
    element: ElementTree.Element, ids: Mapping[str, str], variables: Mapping[str, str]
) -> Iterable[ElementTree.Element]:
    """The element without what a reader never sees; a group without attributes gives way to its children."""
    tag = _local(element.tag)
    children = _convert_all(element, ids, variables)
    attributes = {
        name: _value(name, value, ids, variables)
        for name, value in ((_local(name), value) for name, value in element.attrib.items())
        if not (name == "id" and value not in ids) and not value.startswith("rotate(-0 ")
    }
    empty = tag in ("g", "defs") and not children
    if tag in _DROPPED or empty or (tag == "path" and attributes.get("style") in _INVISIBLE):
        return []
    if tag == "g" and not attributes:
        return children
    converted = ElementTree.Element(tag, attributes)
    converted.extend(children)
    converted.text = element.text if tag == "text" or tag == "tspan" else None
    return [converted]


def _value(name: str, value: str, ids: Mapping[str, str], variables: Mapping[str, str]) -> str:
    if name == "id":
        return ids[value]
    if name == "style":
        return _style(value, variables)
    value = re.sub(r"#([\w-]+)", lambda found: f"#{ids.get(found[1], found[1])}", value)
    if name in _NUMBERS:
        value = re.sub(r"-?\d+\.\d+", lambda found: f"{float(found[0]):.1f}".removesuffix(".0"), value)
        value = re.sub(r"\s*\n\s*", "", value.strip()) if name == "d" else value
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
    return ";".join(kept)


def _themed(value: str, variables: Mapping[str, str]) -> str:
    return f"var(--{variables[value]}, {value})" if value in variables else value


def _local(name: str) -> str:
    """The name without its namespace."""
    return name.rpartition("}")[2]
