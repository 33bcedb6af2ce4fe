"""An instruction on its way to an answer: what it asks, and which thinking it asks for."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from fanno_core.teachers.extractive.analysis import Analysis, Sentence
from fanno_core.teachers.extractive.central import Terms, nearness, terms_of
from fanno_core.teachers.extractive.lexicon import cue, disciplines
from fanno_core.teachers.extractive.phrases import Phrase

SHAPES = ("interdisciplinary", "creative", "critical-thinking", "multi-step")
"""Difficulty tags, in the order in which their cues decide."""

AT_LEAST = 2
"""Sentences of the first document that answer even where they are far from the instruction."""
NEAR_ENOUGH, NEAR_ENOUGH_ELSEWHERE = 0.3, 0.5
"""Nearness, as a share of the best, that any other sentence needs: of the first document, of the others."""


@dataclass(frozen=True)
class Question:
    """An instruction: its first line, the material on the lines after it, and the documents to answer from."""

    first: str
    material: str = ""
    sources: tuple[Analysis, ...] = ()

    @cached_property
    def topics(self) -> list[Phrase]:
        """Key phrases of the documents that the instruction speaks of, in its order."""
        asked = self.first.lower()
        found: dict[str, Phrase] = {}
        for phrase in sorted((p for s in self.sources for p in s.phrases), key=lambda p: (-len(p.text), p.text)):
            if re.search(rf"\b{re.escape(phrase.text.lower())}\b", asked):
                asked = asked.replace(phrase.text.lower(), "")
                found[phrase.text] = phrase
        return sorted(found.values(), key=lambda phrase: self.first.lower().find(phrase.text.lower()))

    @cached_property
    def bare(self) -> str:
        """The first line without the topics, so that their words are not taken for cues of the task."""
        line = self.first
        for phrase in self.topics:
            line = re.sub(rf"\b{re.escape(phrase.text)}\b", "", line, flags=re.IGNORECASE)
        return line

    @cached_property
    def shape(self) -> str:
        """The difficulty tag that the wording shows, or empty."""
        return next((shape for shape in SHAPES if cue(shape).search(self.bare)), "")

    @cached_property
    def discipline(self) -> str:
        """The field of study that the wording calls for, or empty."""
        return next((name for name in disciplines() if name in self.bare.lower()), "")

    @property
    def topic(self) -> str:
        """What the answer is about, with its article; a stand-in where no key phrase is asked about."""
        return self.topics[0].full if self.topics else "the subject"


def best_sentences(question: Question, count: int, about: Sequence[str] = ()) -> list[str]:
    """The sentences of the documents that answer best, in the documents' order.

    A sentence is ranked by its nearness to the instruction and by how central it is among its neighbours; one
    that leans on its neighbours comes in only where too few can stand alone.

    None comes back where no sentence shares a word with the instruction.

    Args:
        question: the instruction with its documents.
        count: how many at most.
        about: words to look for, instead of those of the instruction.
    """
    asked = " ".join(about) or f"{question.bare} {' '.join(topic.text for topic in question.topics * 3)}"
    pools = [[s.quotable for s in question.sources], [s.sentences for s in question.sources]]
    return next((best for pool in pools if (best := _best_of(pool, question, terms_of(asked), count))), [])


def _best_of(pools: Sequence[Sequence[Sentence]], question: Question, asked: Terms, count: int) -> list[str]:
    """The best sentences of a pool a document; none where none shares a word with what is asked."""
    pool = [sentence for sentences in pools for sentence in sentences]
    near = nearness(asked, [sentence.terms for sentence in pool])
    if max(near, default=0.0) <= 0:
        return []
    own = len(pools[0])
    scores = [
        closeness + 0.15 * sentence.weight + (0.05 if number < own else 0.0) - (0.0 if sentence.alone else 0.5)
        for number, (closeness, sentence) in enumerate(zip(near, pool, strict=True))
    ]
    ranked = sorted(range(len(pool)), key=lambda number: (-scores[number], number))
    fitting = _fitting(question, pool, near, own)
    spare = [number for number in ranked if number < own and number not in fitting]
    fitting.update(spare[: max(0, AT_LEAST - len(fitting))])
    ranked = [number for number in ranked if number in fitting]
    return [pool[number].text for number in sorted(_unlike(ranked, [s.text for s in pool], count))]


def _fitting(question: Question, pool: Sequence[Sentence], near: Sequence[float], own: int) -> set[int]:
    """The places of the sentences that are near enough; those of further documents must also speak of a topic."""
    best = max(near)
    topics = {term for topic in question.topics for term in terms_of(topic.text)}
    return {
        number
        for number, (closeness, sentence) in enumerate(zip(near, pool, strict=True))
        if (number < own and closeness >= NEAR_ENOUGH * best)
        or (closeness >= NEAR_ENOUGH_ELSEWHERE * best and (not topics or topics & set(sentence.terms)))
    }


def _unlike(ranked: Sequence[int], texts: Sequence[str], count: int) -> list[int]:
    """The first `count` places whose texts differ from one another."""
    kept: dict[str, int] = {}
    for number in ranked:
        if len(kept) == count:
            break
        kept.setdefault(texts[number], number)
    return list(kept.values())
