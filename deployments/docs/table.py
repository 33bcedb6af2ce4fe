"""A Markdown table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """The lines of a table; bars and line breaks within a cell are kept from ending it."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(map(_cell, cells))} |" for cells in lines)


def stacked(shown: str) -> str:
    """The table, whose third and fourth column are told to be default and limits where a phone stacks its cells."""
    return f'<div class="parameters" markdown>\n\n{shown}\n\n</div>'


def code(text: str) -> str:
    """The text as code; nothing for an empty one."""
    return f"`{text}`" if text else ""


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())
