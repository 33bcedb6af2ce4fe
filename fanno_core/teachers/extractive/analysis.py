"""What the teacher reads out of one document, once for all its prompts."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from fanno_core.tagger import textblob
from fanno_core.teachers.extractive.central import Terms, centralities, terms_of
from fanno_core.teachers.extractive.phrases import Phrase, Tagged, key_phrases
from fanno_core.teachers.extractive.sentences import clauses_of, first_person_share

FINITE = {"VBZ", "VBP", "VBD", "MD"}
REMEMBERED = 2048
"""Documents kept in memory: a shard's documents and those retrieved for them."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence with its content words. `weight` is how central it is; 1 is average."""

    text: str
    terms: Terms
    weight: float
    alone: bool


@dataclass(frozen=True, slots=True)
class Analysis:
    """A document's sentences in order and its key phrases, best first."""

    digest: str
    sentences: tuple[Sentence, ...]
    phrases: tuple[Phrase, ...]

    @property
    def quotable(self) -> tuple[Sentence, ...]:
        """The sentences that stand alone; all of them where none does."""
        return tuple(s for s in self.sentences if s.alone) or self.sentences


@lru_cache(maxsize=REMEMBERED)
def analyse(document: str) -> Analysis:
    """The analysis of a document. The same text gives the same analysis; nothing is drawn at random."""
    clauses = clauses_of(document)
    terms = [terms_of(clause.text) for clause in clauses]
    tags = [tagged(clause.text) for clause in clauses]
    sentences = tuple(
        Sentence(
            clause.text,
            words,
            weight * (1 - min(0.6, 4 * first_person_share(clause.text))),
            clause.alone and has_finite_verb(kinds),
        )
        for clause, words, weight, kinds in zip(clauses, terms, centralities(terms), tags, strict=True)
    )
    phrases = key_phrases(tags)
    return Analysis(hashlib.sha256(document.encode("utf-8", "replace")).hexdigest(), sentences, phrases)


def has_finite_verb(sentence: Sequence[Tagged]) -> bool:
    """Whether there is a verb that makes it a sentence: one in a finite form, or a bare one not after `to`."""
    before = ["", *(tag for _, tag in sentence)]
    return any(tag in FINITE or (tag == "VB" and before[place] != "TO") for place, (_, tag) in enumerate(sentence))


@lru_cache(maxsize=REMEMBERED)
def tagged(sentence: str) -> list[Tagged]:
    """The words of a sentence with their part-of-speech tags, from the lexicon that TextBlob ships."""
    return [(word, kind) for word, kind in textblob().tag(sentence.replace("’", "'"))]
