"""Long texts to segments that end where a thought ends, if they can."""

from __future__ import annotations

import re
from collections.abc import Iterator

from fanno_core.text import SENTENCE_END

PARAGRAPH_END = re.compile(r"\n\s*\n")

# From the best place to cut to the worst. The greedy start finds the last such place of a window in one pass.
BORDERS = tuple(re.compile(f"(?s:.*)(?:{border})") for border in (SENTENCE_END.pattern, r"\n", r"\s"))


def segments(text: str, longest: int, shortest: int) -> list[str]:
    """The text in pieces that together hold all of it but the white space between them, in order.

    A text that fits stays whole. A longer one is split at the ends of paragraphs; paragraphs shorter than
    `shortest` are joined with their neighbours, and ones longer than `longest` are cut at the end of a
    sentence, else of a line, else of a word, else anywhere.

    Args:
        text: any text; paragraphs have a blank line between them.
        longest: no piece is longer, in characters; >= 1.
        shortest: pieces are joined up to this length where `longest` allows it, in characters.

    Returns:
        No empty piece; none at all for a blank text. Takes time linear in the text's length.
    """
    whole = text.strip()
    if len(whole) <= longest:
        return [whole] if whole else []
    pieces = [piece for paragraph in PARAGRAPH_END.split(whole) for piece in _cut(paragraph.strip(), longest)]
    return _joined(pieces, longest, shortest)


def _cut(paragraph: str, longest: int) -> Iterator[str]:
    start = 0
    while len(paragraph) - start > longest:
        end = _last_border(paragraph, start, start + longest)
        if piece := paragraph[start:end].strip():
            yield piece
        start = end
    if piece := paragraph[start:].strip():
        yield piece


def _last_border(text: str, start: int, limit: int) -> int:
    """Where the next piece begins: after the best border that leaves a piece within the limit."""
    for border in BORDERS:
        # The character beyond the limit may be white space, which is stripped.
        if match := border.match(text, start, limit + 1):
            return match.end()
    return limit


def _joined(pieces: list[str], longest: int, shortest: int) -> list[str]:
    """Neighbours joined, until each is at least `shortest` or cannot take the next one."""
    done: list[str] = []
    group: list[str] = []
    length = 0
    for piece in pieces:
        if group and (length >= shortest or length + 2 + len(piece) > longest):
            done.append("\n\n".join(group))
            group, length = [], 0
        length += len(piece) + (2 if group else 0)
        group.append(piece)
    if done and length < shortest and len(done[-1]) + 2 + length <= longest:
        group.insert(0, done.pop())
    return [*done, "\n\n".join(group)]
