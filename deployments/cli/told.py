"""Texts of rows as a terminal shows them: wrapped, indented, and with nothing in them that it would obey."""

from __future__ import annotations

from collections.abc import Iterable

import typer
from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.text import Text

INDENT = (0, 0, 0, 2)
WIDEST = 1_000_000
"""More characters than any line has."""


def show(parts: Iterable[RenderableType]) -> None:
    """Prints parts one below the other; where no terminal reads them, without colours and trailing spaces."""
    parts = list(parts)
    console = console_for(parts)
    with console.capture() as captured:
        for part in parts:
            console.print(part)
    typer.echo("\n".join(line.rstrip() for line in captured.get().splitlines()))


def console_for(parts: Iterable[RenderableType]) -> Console:
    """A console as wide as the terminal; where none reads, as wide as what is printed: a pipe has no edge."""
    console = Console(highlight=False)
    if not console.is_terminal:
        unbound = console.options.update(max_width=WIDEST)
        console.width = max((console.measure(part, options=unbound).maximum for part in parts), default=console.width)
    return console


def indented(part: RenderableType) -> Padding:
    """The part, two columns further in."""
    return Padding(part, INDENT)


def text_of(text: str, style: str = "") -> Text:
    """The text as it stands: no markup, and no character that a terminal would take for an order."""
    return Text(harmless(text), style=style)


def harmless(text: str) -> str:
    """The text with each character that a terminal would take for an order written out."""
    return "".join(c if c.isprintable() or c in "\n\t" else ascii(c)[1:-1] for c in text)


def shortened(text: str, most: int) -> str:
    """The text, or its first `most` characters and how many there are."""
    return text if len(text) <= most else f"{text[:most].rstrip()} ... ({len(text):,} characters)"
