"""Translation that can be done right: a glossary, Pig Latin, Morse code and the spelling alphabet of aviation."""

from __future__ import annotations

import re
from collections.abc import Mapping

from fanno_core.teachers.extractive.lexicon import pairs
from fanno_core.teachers.extractive.question import Question, best_sentences
from fanno_core.teachers.extractive.wording import Brief, numbered

ASKED = re.compile(r"\b(?:Pig Latin|Morse|spelling alphabet|glossary)\b", re.IGNORECASE)
TERMS = 3


def material(brief: Brief, wording: str) -> str:
    """Terms to translate, one a line; those of a glossary stand in sentences of their own, which can explain them."""
    if "glossary" not in wording:
        return "\n".join(phrase.text for phrase in brief.phrases[:TERMS])
    explained: dict[str, str] = {}
    for phrase in brief.phrases + list(brief.analysis.phrases):
        home = next(
            (
                s.text
                for s in brief.sentences
                if phrase.text.lower() in s.text.lower() and s.text not in explained.values()
            ),
            "",
        )
        if home:
            explained.setdefault(phrase.text, home)
    return "\n".join(list(explained)[:TERMS] or [brief.phrases[0].text])


def asks(question: Question) -> bool:
    """Whether the wording asks for one of these translations, and there are terms to translate."""
    return bool(question.material and ASKED.search(question.bare))


def answer(question: Question) -> str:
    """Each term with its translation; nothing where no term of a glossary is explained anywhere."""
    terms = [term.strip() for term in question.material.split("\n") if term.strip()]
    line = question.bare.lower()
    if "glossary" in line:
        return _glossary(question, terms)
    code = pig_latin if "pig latin" in line else morse if "morse" in line else spelled
    return "\n".join(f"{term}: {code(term)}" for term in terms)


def pig_latin(term: str) -> str:
    """The term in Pig Latin: leading consonants go to the end, then `ay`; `way` after a leading vowel."""

    def turned(word: str) -> str:
        onset = re.match(r"[^aeiou]*qu|[^aeiouy]+|y(?=[aeiou])", word)
        return f"{word[onset.end() :]}{onset[0]}ay" if onset and onset.end() < len(word) else f"{word}way"

    return re.sub(r"[a-z]+", lambda found: turned(found[0]), term.lower())


def morse(term: str) -> str:
    """The term in Morse code: a space between letters, a slash between words."""
    return _letter_by_letter(term, pairs("morse"))


def spelled(term: str) -> str:
    """The term letter by letter in the spelling alphabet."""
    return _letter_by_letter(term, pairs("spelling"))


def _letter_by_letter(term: str, alphabet: Mapping[str, str]) -> str:
    return " / ".join(
        " ".join(alphabet[c] for c in word if c in alphabet) for word in re.split(r"[\s-]+", term.lower())
    )


def _glossary(question: Question, terms: list[str]) -> str:
    """Each term with a sentence that shows what it means."""
    entries: dict[str, str] = {}
    for term in terms:
        shown = [s for s in best_sentences(question, 6, [term]) if term.lower() in s.lower()]
        fresh = [s for s in shown if s not in entries.values()] or shown
        if fresh:
            entries[term] = fresh[0]
    return numbered([f"{term}: {shown}" for term, shown in entries.items()])
