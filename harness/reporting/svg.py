"""From the SVG file that matplotlib writes to a small inline one that follows the page's theme."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from xml.etree import ElementTree

from markupsafe import Markup

_DROPPED = {"metadata", "style", "clipPath"}
_NUMBERS = {"d", "transform", "x", "y", "width", "height", "points"}
_INVISIBLE = {"fill: none", "fill:none"}
# What every other declaration of a figure repeats, said once on its root.
_USUAL = {"font-size:12px", "stroke-linecap:square", "stroke-linecap:round", "stroke-linejoin:round"}


def inline_svg(source: str, key: str, description: str, variables: Mapping[str, str]) -> Markup:
    """The figure as an ``<svg>`` element of an HTML page.

    Nothing is clipped: what is drawn keeps within the axes by itself.

    :param key: unique on the page; it keeps the ids inside apart from those of other figures.
    :param description: what is read out in the figure's place.
    :param variables: by colour the CSS variable that takes its place; the colour stays as the fallback, so that the
        element is complete on its own too.
    """
    root = ElementTree.fromstring(source)
    prefix = "f" + hashlib.blake2b(key.encode(), digest_size=4).hexdigest()
    ids = {reference: f"{prefix}-{number}" for number, reference in enumerate(sorted(_references(root)))}
    figure = ElementTree.Element("svg", {"class": "chart", "viewBox": root.get("viewBox", "")})
    figure.attrib |= {"role": "img", "aria-label": description}
    figure.attrib |= {"font-size": "12", "fill": "var(--ink, #1f2428)"}
    figure.extend(_joined(_convert_all(root, ids, variables)))
    return Markup(ElementTree.tostring(figure, encoding="unicode"))


def _references(root: ElementTree.Element) -> set[str]:
    values = [value for element in root.iter() for name, value in element.attrib.items() if _local(name) == "href"]
    return {value[1:] for value in values if value.startswith("#")}


def _convert_all(
    parent: ElementTree.Element, ids: Mapping[str, str], variables: Mapping[str, str]
) -> list[ElementTree.Element]:
    return [converted for child in parent for converted in _convert(child, ids, variables)]


def _convert(
    element: ElementTree.Element, ids: Mapping[str, str], variables: Mapping[str, str]
) -> Iterable[ElementTree.Element]:
    """The element without what a reader never sees; groups and definitions give way to their children."""
    tag = _local(element.tag)
    if tag in _DROPPED:
        return []
    children = _convert_all(element, ids, variables)
    attributes = {
        name: _value(name, value, ids, variables)
        for name, value in ((_local(name), value) for name, value in element.attrib.items())
        if not (name == "id" and value not in ids) and name != "clip-path" and not value.startswith("rotate(-0 ")
    }
    if tag == "defs" and children:
        pass
    elif (tag in ("g", "defs") and not children) or (tag == "path" and attributes.get("style") in _INVISIBLE):
        return []
    elif tag == "g" and not attributes:
        return children
    if not attributes.get("style", "-"):
        del attributes["style"]
    converted = ElementTree.Element(tag, attributes)
    converted.extend(children)
    converted.text = element.text if tag == "text" or tag == "tspan" else None
    return [converted]


def _joined(elements: Sequence[ElementTree.Element]) -> list[ElementTree.Element]:
    """Neighbours of one look: paths become one path, texts and marks one group that carries the look."""
    kept: list[ElementTree.Element] = []
    for element in elements:
        last = kept[-1] if kept else None
        style = element.get("style", "")
        if last is None or last.get("style", "") != style or element.get("id"):
            kept.append(element)
        elif element.tag == "path" and set(element.attrib) == {"d", "style"} == set(last.attrib) and last.tag == "path":
            last.set("d", last.get("d", "") + element.get("d", ""))
        elif style and element.tag == "use" and (last.tag == "use" or last.get("class") == "m"):
            if last.tag == "use":
                group = ElementTree.Element("g", {"class": "m", "style": style})
                group.append(_without_style(last))
                kept[-1] = last = group
            last.append(_without_style(element))
        else:
            kept.append(element)
    return kept


def _without_style(element: ElementTree.Element) -> ElementTree.Element:
    element.attrib.pop("style", None)
    return element


def _value(name: str, value: str, ids: Mapping[str, str], variables: Mapping[str, str]) -> str:
    if name == "id":
        return ids[value]
    if name == "style":
        return _style(value, variables)
    value = re.sub(r"#([\w-]+)", lambda found: f"#{ids.get(found[1], found[1])}", value)
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
