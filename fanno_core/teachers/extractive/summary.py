"""Summaries: the most central of some notes, cut to what matters."""

from __future__ import annotations

import re

from fanno_core.teachers.extractive.analysis import analyse
from fanno_core.teachers.extractive.central import centralities, terms_of
from fanno_core.teachers.extractive.lexicon import disciplines, words
from fanno_core.teachers.extractive.question import Question
from fanno_core.teachers.extractive.sentences import capitalised
from fanno_core.teachers.extractive.wording import Brief, bulleted, numbered
from fanno_core.text import words_of

ASKED = re.compile(
    r"\b(?:summar\w+|condense\w*|gist|headline|key points|sums? (?:everything )?up|carries the most|matters most)\b",
    re.IGNORECASE,
)
ASIDE = re.compile(
    r" ?\([^()]*\)"
    r"|, (?:which|who|whose|where)\b[^,.;]*(?:,|(?=[.;]))"
    r"|, (?:such as|including|for example|especially|as well as)\b[^,.;]*(?=[.;])"
)
"""What can be cut from a sentence without breaking it: brackets, relative clauses, closing examples."""
NOTES = 5


def material(brief: Brief, _wording: str) -> str:
    """Notes to summarise: sentences in the document's order, one a line."""
    sentences = brief.sentences
    start = brief.draw.below(max(1, len(sentences) - NOTES + 1))
    return "\n".join(sentence.text for sentence in sentences[start : start + NOTES])


def asks(question: Question) -> bool:
    """Whether the wording asks for a summary, and there is something to summarise."""
    return bool(question.material and ASKED.search(question.bare))


def answer(question: Question) -> str:
    """The summary, in the manner that the wording asks for."""
    notes = [line.strip() for line in question.material.split("\n") if line.strip()]
    ranks = centralities([terms_of(note) for note in notes])
    order = sorted(range(len(notes)), key=lambda number: (-ranks[number], number))
    gist, points = trimmed(notes[order[0]]), [trimmed(notes[number]) for number in sorted(order[:3])]
    if question.shape == "multi-step":
        return f"Key points:\n{numbered(points)}\n\nIn one sentence: {gist}"
    if question.shape == "critical-thinking":
        spare = f"Could be left out: {notes[order[-1]]}" if len(notes) > 1 else "Nothing could be left out."
        return (
            f"Summary: {gist}\nWhy this one: it shares the most words with the others and so stands for them.\n{spare}"
        )
    if question.shape == "creative":
        return f"{headline(question.material)}\n\n{gist}"
    if question.discipline:
        asked = disciplines()[question.discipline]
        return f"For readers from {question.discipline}, who ask {asked}, the gist is this:\n{bulleted(points[:2])}"
    return " ".join(points[:2])


def trimmed(sentence: str) -> str:
    """The sentence without asides, unless too little would be left."""
    short = ASIDE.sub("", sentence)
    return short if len(words_of(short)) >= 6 else sentence


def headline(notes: str) -> str:
    """A headline of the notes' two best key phrases."""
    phrases = [phrase.text for phrase in analyse(notes).phrases[:2]]
    if not phrases:
        phrases = [" ".join(words_of(notes)[:6])]
    return " and ".join(" ".join(_titled(word) for word in phrase.split()) for phrase in phrases)


def _titled(word: str) -> str:
    return word if word.lower() in words("stop") else capitalised(word)
