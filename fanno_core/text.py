"""Small measures of text that several phases share."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable

WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
CLOSING = "\"'”’)\\]"
SENTENCE_END = re.compile(rf"(?:(?<=[.!?])|(?<=[.!?][{CLOSING}]))\s+(?=[\"'“‘(\[]*[A-Z0-9])")


def stable_id(*parts: str) -> str:
    """16 hex digits that depend on the parts and on nothing else."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def words_of(text: str) -> list[str]:
    """The words of a text, in order, as written."""
    return WORD.findall(text)


def sentences_of(text: str) -> list[str]:
    """The sentences of a text, in order, without the white space between them."""
    return [s.strip() for block in text.split("\n\n") for s in SENTENCE_END.split(block) if s.strip()]


def normalise(text: str) -> str:
    """NFC, line feeds only, no control or bidirectional-override characters, no run of blank lines."""
    text = "\n".join(text.splitlines())
    # No unwanted character is printable, so the slow look-up meets only a text's few rare characters.
    rare = {c for c in set(text) if not c.isprintable() and c not in "\n\t"}
    dropped = {ord(c): None for c in rare if unicodedata.category(c) in {"Cc", "Cf", "Cs", "Co"}}
    if dropped:
        text = text.translate(dropped)
    lines = (line.rstrip() for line in unicodedata.normalize("NFC", text).split("\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def ngrams(words: list[str], n: int) -> Iterable[tuple[str, ...]]:
    """Every run of `n` words, in order."""
    return zip(*(words[i:] for i in range(n)), strict=False)


def repeated_share(words: list[str], n: int) -> float:
    """Share of word n-grams that stood in the text before, in [0, 1]; 0 for texts shorter than `n`."""
    grams = list(ngrams(words, n))
    return 1 - len(set(grams)) / len(grams) if grams else 0.0
