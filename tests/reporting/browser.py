"""A real browser for tests: Chromium where the machine has it, otherwise a skip that says so."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_OPTIONS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run")
_GUIDELINES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
_BAD = ("serious", "critical")


@contextmanager
def open_browser() -> Iterator[Any]:
    """A headless Chromium with a profile of its own."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: pip install .[dev]")
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        pytest.skip(f"no Chromium on this machine, looked for {', '.join(PROGRAMS)}")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=program, args=list(_OPTIONS))
        yield browser
        browser.close()


class Visit:
    """A page opened from disk, with all that it said and asked for."""

    def __init__(self, browser: Any, path: Path, width: int = 1440, scheme: str = "light", at: str = "") -> None:
        self.context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
        self.page = self.context.new_page()
        self.said: list[str] = []
        self.requests: list[str] = []
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.goto(path.as_uri() + at)

    def __enter__(self) -> Visit:
        return self

    def __exit__(self, *_: object) -> None:
        self.context.close()

    def unfold_all(self) -> None:
        """Open everything that is folded away, the parts that come to light by it included."""
        from playwright.sync_api import expect

        self.page.evaluate("""async () => {
            for (let folds; (folds = document.querySelectorAll('details:not([open])')).length;) {
                folds.forEach((fold) => { fold.open = true; });
                await new Promise((done) => setTimeout(done, 50));
            }
        }""")
        expect(self.page.locator("details > script")).to_have_count(0)

    def show_all(self) -> None:
        """Lay out what is out of sight too: its text cannot be read before."""
        self.page.add_style_tag(content="* { content-visibility: visible !important; }")

    def accessibility_findings(self, rules: Sequence[str] = (), within: str | None = None) -> list[str]:
        """What axe-core finds serious or critical, by rule and place; by all rules unless some are named."""
        axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="pip install axe-playwright-python")
        chosen = {"type": "rule", "values": list(rules)} if rules else {"type": "tag", "values": list(_GUIDELINES)}
        options = {"resultTypes": ["violations"], "runOnly": chosen}
        found = axe.Axe().run(self.page, context=within, options=options).response["violations"]
        return [
            f"{each['id']}: {node['target']}" for each in found if each["impact"] in _BAD for node in each["nodes"][:5]
        ]


TEXT_THAT_STICKS_OUT = """() => {
    const out = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node; (node = walker.nextNode());) {
        const parent = node.parentElement;
        if (!node.textContent.trim() || parent.closest('script, style, noscript, svg, .skip')) continue;
        const range = document.createRange();
        range.selectNodeContents(node);
        const hidden = getComputedStyle(parent).clipPath !== 'none';
        for (const box of range.getClientRects()) {
            if (!box.width || hidden) continue;
            const holder = parent.closest('td, th, summary, p, li, dd, dt, h1, h2, h3, label, button, figcaption, pre');
            const scroll = parent.closest('.scroll');
            const frame = holder ? holder.getBoundingClientRect() : box;
            const room = scroll ? Infinity : document.documentElement.clientWidth;
            const beyond = !holder || holder.tagName === 'PRE' ? 0 : box.right - frame.right;
            if (box.right > room + 1 || beyond > 1) out.push(node.textContent.trim().slice(0, 60));
        }
    }
    return out;
}"""

FIGURE_TEXT_THAT_IS_CUT = """() => [...document.querySelectorAll('svg')].flatMap((figure) => {
    const whole = figure.getBoundingClientRect();
    return [...figure.querySelectorAll('text')].filter((text) => {
        const box = text.getBoundingClientRect();
        return box.left < whole.left - 1 || box.right > whole.right + 1 || box.top < whole.top - 1
            || box.bottom > whole.bottom + 1;
    }).map((text) => `${figure.getAttribute('aria-label').slice(0, 40)}: ${text.textContent}`);
})"""

NAMES_BROKEN_INSIDE_A_WORD = """() => [...document.querySelectorAll('.leaders .name, .right .id')].flatMap((name) =>
    [...name.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE && node.data.trim()).filter((node) => {
        const range = document.createRange();
        range.selectNodeContents(node);
        return new Set([...range.getClientRects()].map((box) => Math.round(box.top))).size > 1;
    }).map((node) => node.textContent))"""
