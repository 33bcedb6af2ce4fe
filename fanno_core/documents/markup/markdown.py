"""Markdown to prose."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator

from markdown_it import MarkdownIt
from markdown_it.token import Token

# Site generators put YAML or TOML above the text.
FRONT_MATTER = re.compile(r"\A(---|\+\+\+)[ \t]*\r?\n.*?\n\1[ \t]*(?:\r?\n|\Z)", re.DOTALL)
# An unclosed one reaches to the end, as in a browser.
HIDDEN = re.compile(r"<!--.*?(?:-->|\Z)|<(script|style)\b.*?(?:</\1\s*>|\Z)", re.DOTALL | re.IGNORECASE)
BLOCKS_OF_LINES = ("bullet_list_", "ordered_list_", "table_")
TAG = re.compile(r"<[^<>]*>")


def markdown_text(markup: str) -> str:
    """The prose of a Markdown text: blocks with a blank line between them, each paragraph on one line.

    Headings are plain lines, list items lines that begin with `- `, table rows lines. Images (so badges
    too), link targets, comments, tags, code blocks and front matter are left out.
    """
    tokens = MarkdownIt("commonmark").enable("table").parse(FRONT_MATTER.sub("", markup, count=1))
    return "\n\n".join(_blocks(tokens))


def _blocks(tokens: Iterable[Token]) -> Iterator[str]:
    """Paragraphs and headings one by one; a whole list or table as one block of lines."""
    depth, bullet = 0, ""
    lines: list[str] = []
    row: list[str] | None = None
    for token in tokens:
        if token.type.startswith(BLOCKS_OF_LINES):
            depth += token.nesting
        elif token.type == "list_item_open":
            bullet = "- "
        elif token.type == "tr_open":
            row = []
        elif token.type == "tr_close":
            lines.append(" | ".join(row or []))
            row = None
        elif token.type in {"inline", "html_block"} and (text := _text(token)):
            if row is None:
                lines.append(bullet + text)
                bullet = ""
            else:
                row.append(text)
        if depth == 0 and (block := "\n".join(filter(None, lines))):
            yield block
            lines = []


def _text(token: Token) -> str:
    if token.type == "html_block":
        text = html.unescape(TAG.sub(" ", HIDDEN.sub(" ", token.content)))
    else:
        text = "".join(_inline(token.children or []))
    return " ".join(text.split())


def _inline(children: Iterable[Token]) -> Iterator[str]:
    for child in children:
        if child.type in {"text", "code_inline"}:
            yield child.content
        elif child.type in {"softbreak", "hardbreak"} or child.content.startswith("<br"):
            yield "\n"
