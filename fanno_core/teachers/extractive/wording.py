"""Wordings and their slots: what is chosen follows from a digest, never from chance."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

from fanno_core.teachers.extractive.analysis import Analysis, Sentence, tagged
from fanno_core.teachers.extractive.lexicon import data_file, disciplines
from fanno_core.teachers.extractive.phrases import Phrase
from fanno_core.teachers.extractive.sentences import capitalised

T = TypeVar("T")

SIMPLEST = "multi-step"
BEST_PHRASES, CHOICES_OF_PHRASE = 4, 8
"""Key phrases that instructions turn about, and those that may come in second; the others say too little."""


class Draw:
    """Numbers that follow from the parts of a key and from nothing else."""

    def __init__(self, *parts: str) -> None:
        self._key = "\0".join(parts).encode("utf-8", "replace")
        self._drawn = 0

    def below(self, limit: int) -> int:
        """A number in [0, limit)."""
        digest = hashlib.sha256(self._key + self._drawn.to_bytes(4, "big")).digest()
        self._drawn += 1
        return int.from_bytes(digest[:8], "big") % limit

    def choose(self, things: Sequence[T]) -> T:
        """One of the things."""
        return things[self.below(len(things))]

    def sample(self, things: Sequence[T], count: int) -> list[T]:
        """Some of the things, or all where there are fewer, each at most once."""
        left = list(things)
        return [left.pop(self.below(len(left))) for _ in range(min(count, len(left)))]


@dataclass(frozen=True)
class Brief:
    """What an instruction is to be written from: a document's analysis, three tags, and a draw of its own."""

    analysis: Analysis
    task_type: str = ""
    characteristic: str = ""
    form: str = ""
    avoid_names: bool = False
    draw: Draw = field(default_factory=Draw)

    @cached_property
    def phrases(self) -> list[Phrase]:
        """Three phrases to speak of, the first of them from the document's best; never fewer."""
        quoted = " ".join(sentence.text.lower() for sentence in self.analysis.quotable)
        known = [phrase for phrase in self.analysis.phrases if phrase.text.lower() in quoted] or self.analysis.phrases
        pool = dict.fromkeys((*known, *self.analysis.phrases)) if self.avoid_names else known
        plain = [phrase for phrase in pool if not phrase.proper]
        usable = plain if len(plain) >= 3 or (plain and self.avoid_names) else list(known)
        drawn = self.draw.sample(usable[:BEST_PHRASES], 1)
        drawn += self.draw.sample([phrase for phrase in usable[:CHOICES_OF_PHRASE] if phrase not in drawn], 2)
        spare = [
            Phrase(text, text, text.endswith("s"), proper=False)
            for text in data_file("templates.toml")["fallback"]["phrases"]
        ]
        return drawn + self.draw.sample(spare, 3 - len(drawn))

    @cached_property
    def sentences(self) -> list[Sentence]:
        """Sentences that a task may put in front of the reader, in the document's order; never none."""
        return list(self.analysis.quotable) or [
            Sentence(text, (), 1.0, alone=True) for text in data_file("templates.toml")["fallback"]["sentences"]
        ]

    def slots(self, material: str = "") -> dict[str, str]:
        """What the slots of a wording stand for; the phrases that stand in its material come first."""
        slots = {"discipline": self.draw.choose(sorted(disciplines()))}
        shown = [phrase for phrase in self.analysis.phrases if phrase.text.lower() in material.lower()]
        first = [phrase for phrase in self.phrases if phrase in shown] or shown[:1]
        ordered = first + [phrase for phrase in self.phrases if phrase not in first]
        for letter, phrase in zip("abc", ordered, strict=False):
            slots[letter] = phrase.full
            slots[f"is_{letter}"] = phrase.verb
            slots[f"matters_{letter}"] = "matter" if phrase.plural else "matters"
            slots[f"does_{letter}"] = "do" if phrase.plural else "does"
        return slots


def filled(wording: str, slots: Mapping[str, str]) -> str:
    """The wording with its slots filled, begun with a capital."""
    return capitalised(wording.format_map(slots))


def wordings(task_type: str, characteristic: str, form: str) -> list[str]:
    """The wordings of a combination of tags; an unknown tag counts as a plain question, in steps, as an order."""
    data = data_file("templates.toml")
    kinds: Any = data.get(task_type)
    if not (isinstance(kinds, dict) and SIMPLEST in kinds):
        kinds = data["closed-book-qa"]
    forms: dict[str, list[str]] = kinds.get(characteristic) or kinds[SIMPLEST]
    return forms.get(form) or forms["imperative"]


def listed(things: Sequence[str]) -> str:
    """The things as one enumeration: `a, b and c`."""
    return " and ".join([", ".join(things[:-1]), things[-1]]) if len(things) > 1 else "".join(things)


def numbered(lines: Sequence[str]) -> str:
    """The lines with numbers, one a line."""
    return "\n".join(f"{number}. {line}" for number, line in enumerate(lines, 1))


def bulleted(lines: Sequence[str]) -> str:
    """The lines as bullets, one a line."""
    return "\n".join(f"- {line}" for line in lines)


def lower_first(text: str) -> str:
    """The text with a small first letter, unless its first word is a name, an acronym or `I`."""
    word, tag = next(iter(tagged(text)), ("", ""))
    proper = tag.startswith("NNP") or not (word == "A" or word[1:].islower())
    return text if proper else text[:1].lower() + text[1:]
