"""From a template and what it shows to one HTML file that needs nothing else."""

from __future__ import annotations

import base64
import gzip
import hashlib
import re
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from harness.reporting import text

_JOINT = re.compile(r"([_/]|(?<=[A-Za-z])\.)")
_FOLDER = Path(__file__).parent / "templates"


def render(template: str, **shown: Any) -> str:
    """The page's HTML; its own script is the only one that a browser runs in it."""
    script = _part("page.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return (
        _templates()
        .get_template(template)
        .render(
            css=Markup(_part("page.css")),
            script=Markup(script),
            script_hash=f"sha256-{digest}",
            text=text,
            **shown,
        )
    )


def write_whole(path: Path, html: str) -> Path:
    """Write a page into a folder that may not exist yet; an earlier one is replaced whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    partial.write_text(html, encoding="utf-8", newline="\n")
    partial.replace(path)
    return path


def breakable(name: str) -> Markup:
    """A name that may go on in the next line after an underscore, a slash or a dot that is no decimal point."""
    return Markup(_JOINT.sub(r"\1<wbr>", str(escape(name))))


def packed(content: str) -> Markup:
    """Text for a ``script`` element that the page's own script unpacks: compressed, and nothing in it is markup."""
    return Markup(base64.b64encode(gzip.compress(content.encode(), 6, mtime=0)).decode())


@cache
def _templates() -> Environment:
    environment = Environment(
        loader=PackageLoader("harness.reporting", "templates"),
        autoescape=True,  # names, messages and claims may hold anything
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"breakable": breakable, "packed": packed}
    return environment


@cache
def _part(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")
