"""Explanations for the page, in blocks that the browser unpacks when one of them is opened.

The text of a document stands in every prompt that was made from it, and in many explanations. It is packed once,
beside them: a string that holds it becomes `{"pieces": [...]}`, its other text and the numbers of documents in turn.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fanno_core.lineage.explanation import Explanation
from fanno_core.report.page.packed import packed

BLOCK = 16
"""Explanations that are unpacked together: some 200 kB of JSON, and enough for what prompts have in common to count."""
TEXTS = 64
"""Documents that are unpacked together; at most 150 kB of text with segments of the usual length."""
DIGITS = 4
"""Digits of scores and probabilities."""


@dataclass(frozen=True, slots=True)
class Block:
    """Packed explanations and the ids that they are found by."""

    ids: tuple[str, ...]
    packed: str


@dataclass(frozen=True, slots=True)
class Blocks:
    """All that the page holds of explanations; document `n` is at place `n % TEXTS` of `texts[n // TEXTS]`."""

    explanations: tuple[Block, ...]
    texts: tuple[str, ...]

    @property
    def ids(self) -> frozenset[str]:
        """What is explained."""
        return frozenset(name for block in self.explanations for name in block.ids)


def packed_explanations(explanations: Sequence[Explanation]) -> Blocks:
    """The explanations in their order, and the documents in the order in which they come up."""
    numbers: dict[str, int] = {}
    blocks = []
    for start in range(0, len(explanations), BLOCK):
        part = explanations[start : start + BLOCK]
        data = {each.id: _with_numbers(each.to_json(), _numbered(each, numbers)) for each in part}
        blocks.append(Block(tuple(data), packed(data)))
    texts = [*numbers]
    return Blocks(tuple(blocks), tuple(packed(texts[at : at + TEXTS]) for at in range(0, len(texts), TEXTS)))


def _numbered(told: Explanation, numbers: dict[str, int]) -> dict[str, int]:
    """The documents of an explanation with their numbers; those that are new get the next ones.

    Longer ones come first, since a short one may stand in them.
    """
    own = {document.text for document in (*told.retrieved, told.document) if document and document.text}
    return {text: numbers.setdefault(text, len(numbers)) for text in sorted(own, key=lambda text: (-len(text), text))}


def _with_numbers(value: Any, numbers: Mapping[str, int]) -> Any:
    """Plain values with each string that holds a document as its pieces, and scores as `fanno explain` shows them."""
    if isinstance(value, dict):
        return {name: _with_numbers(each, numbers) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_with_numbers(each, numbers) for each in value]
    if isinstance(value, float):
        return float(f"{value:.{DIGITS}g}")
    if not isinstance(value, str):
        return value
    pieces: list[str | int] = [value]
    for text, number in numbers.items():
        pieces = [part for piece in pieces for part in _split(piece, text, number)]
    return value if pieces == [value] else {"pieces": [piece for piece in pieces if piece != ""]}


def _split(piece: str | int, text: str, number: int) -> Iterator[str | int]:
    if isinstance(piece, int):
        yield piece
        return
    first, *others = piece.split(text)
    yield first
    for other in others:
        yield number
        yield other
