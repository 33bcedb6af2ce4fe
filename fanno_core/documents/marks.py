"""Runs of combining marks, bounded before anything normalises them.

Bringing marks into their order takes quadratic time: 40,000 marks on one letter took 1 s, a million would take
ten minutes.
"""

from __future__ import annotations

import re
import unicodedata

# Source: UAX 15, Stream-Safe Text Format: no language needs more than 30 on one character.
MOST_MARKS = 30
# `normalise` drops these, so that the marks on both sides of one come together.
DROPPED = {"Cc", "Cf", "Cs", "Co"}


def with_few_marks(text: str) -> str:
    """The text with no more than `MOST_MARKS` combining marks in a row; invisible characters between them count too."""
    odd = {c for c in set(text) if c > "\u02ff" or not c.isprintable()} - {"\n", "\r", "\t"}
    marks = {c for c in odd if unicodedata.combining(c)}
    if not marks:
        return text
    run = re.escape("".join(sorted(marks | {c for c in odd if unicodedata.category(c) in DROPPED})))
    return re.sub(f"([{run}]{{{MOST_MARKS}}})[{run}]+", r"\1", text)
