"""What a browser tells of a page and its charts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

# Marks of a chart that cover something: a chart whose scales are broken has marks of no size.
DRAWN = """() => Object.fromEntries([...document.querySelectorAll(".chart")].map((chart) => [
  chart.id.replace("chart-", ""),
  [...chart.querySelectorAll(".role-mark path, .role-mark text")].filter((mark) => {
    const box = mark.getBoundingClientRect();
    return box.width + box.height > 4;
  }).length,
]))"""


@dataclass(frozen=True)
class Seen:
    """What was seen of a page.

    Attributes:
        said: on the console, faults among it.
        asked: addresses that were asked for.
        drawn: charts with something in them, by name.
        overflow: pixels by which it is wider than the window.
        title, theme: its own.
    """

    said: list[str]
    asked: list[str]
    drawn: set[str]
    overflow: int
    title: str
    theme: str


def seen(chromium: Any, path: Path, width: int, scheme: str, ready: str) -> Seen:
    """Opens a page, waits until a selector is there, and looks."""
    page = chromium.new_page(viewport={"width": width, "height": 850}, color_scheme=scheme)
    asked: list[str] = []
    said: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(path.as_uri())
    page.wait_for_selector(ready)
    drawn = {name for name, marks in page.evaluate(DRAWN).items() if marks}
    overflow = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    title, theme = page.title(), page.evaluate("document.documentElement.dataset.theme")
    page.close()
    return Seen(said, asked, drawn, overflow, title, theme)
