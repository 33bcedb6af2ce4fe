"""A document as clean sentences, each with a verdict on whether it can be understood alone."""

from __future__ import annotations

import re
from dataclasses import dataclass

from fanno_core.teachers.extractive.lexicon import cue, opener, words
from fanno_core.text import sentences_of, words_of

LIST_MARK = re.compile(r"^\s*(?:[-*+•>#|]+|\d{1,2}[.)]|\(?[a-z]\))\s+")
WRAPPED = range(58, 101)
"""Lengths, in characters, at which a line that does not end a sentence was probably wrapped."""
SHORTEST, LONGEST = 6, 45
"""Words of a sentence that is worth quoting."""

CLEANINGS = [
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (r"!\[[^\]]*\]\([^)]*\)", ""),
        (r"\[([^\]\n]+)\](?:\([^)\s]*\)|\[[^\]]*\])", r"\1"),
        (r"\s*\[(?:\d+|#\w*)\]_?", ""),
        (r":[a-z]+(?::[a-z]+)?:`~?\.?([^`<]+?)(?:\s*<[^>`]*>)?`", r"\1"),
        (r"`([^`<]+?)\s*<[^>`]*>`_*", r"\1"),
        (r"``([^`]+)``", r"`\1`"),
        (r"\*\*([^*\n]+)\*\*", r"\1"),
        (r"(?<!\w)\[([A-Za-z][\w .'-]*)\]", r"\1"),
        (r"(\w)\s*(['’])\s+(s|t|re|ve|ll|d|m)\b", r"\1\2\3"),
        (r"([“(])\s+", r"\1"),
        (r"\s+([”),;:.!?’](?:\s|$))", r"\1"),
        (r"\s+", " "),
        (r"^\W*\w+(?: \w+){0,2}: (?=[A-Z])", ""),
    )
]
COMPLETE = re.compile(r"""["“‘'(]?(?:[A-Z`]|\d+[a-z%]|\d+ [a-z]).*[.!?]["”’')]?""", re.DOTALL)
LEANING_INSIDE = re.compile(
    r"[^,]+, (?:this|these|those)\b"
    r"|(?:Whenever|When|If|Because|Since|After|Once|While|Although|Unless|Until) [^,]+$"
    r"|(?:Whenever|When|If|Because|Since|After|Once|While|Although|With|To) (?:this|that|these|those|it|they)\b"
)
UNREADABLE = re.compile(r"\bUNK\b|<unk>")
"""What corpora write for a word that they left out."""
PERSON = re.compile(r"\b(?:he|she|him|hers)\b", re.IGNORECASE)
SOMEBODY = re.compile(r"(?<=[\w,] )[A-Z][a-z]+|^(?:[A-Z][a-z]+ ){2}")
"""A capital inside a sentence, or two at its beginning: very likely the person that `he` or `she` stands for."""
MACHINE = re.compile(r"https?:|www\.|\S@\S|[{}<>=|\\~^]|::|\w\(\)|\w_\w|\.\.\.|…|\w/\w+/|--|(?<!\w)\d{1,2}\.$")
PAIRS = (("(", ")"), ("[", "]"), ("“", "”"))


@dataclass(frozen=True, slots=True)
class Clause:
    """A whole sentence. `alone` says whether it can be understood without its neighbours."""

    text: str
    alone: bool


def clauses_of(document: str) -> list[Clause]:
    """The whole sentences of a document, in order; headings, list labels, code and links are left out."""
    sentences = (sentence for unit in _units(document) for sentence in _split(_clean(unit)))
    found: dict[str, Clause] = {}
    for sentence in sentences:
        if is_complete(sentence):
            clause = _stand_alone(sentence)
            found.setdefault(clause.text, clause)
    return list(found.values())


def is_complete(sentence: str) -> bool:
    """Whether it is one whole sentence of prose: begun, ended, balanced, of a readable length."""
    if not SHORTEST <= len(words_of(sentence)) <= LONGEST or not COMPLETE.fullmatch(sentence):
        return False
    if MACHINE.search(sentence) or sentence.count('"') % 2 or sentence.count("`") % 2:
        return False
    letters = sum(c.isalpha() or c.isspace() for c in sentence)
    return letters >= 0.85 * len(sentence) and all(sentence.count(a) == sentence.count(b) for a, b in PAIRS)


def first_person_share(sentence: str) -> float:
    """Share of the words that speak of the writer."""
    return len(cue("first_person").findall(sentence)) / max(1, len(words_of(sentence)))


def _units(document: str) -> list[str]:
    """Lines, with the wrapped ones joined again."""
    units: list[str] = []
    open_line, last = False, 0
    for line in document.split("\n"):
        bare = LIST_MARK.sub("", line).strip()
        wrapped = (
            open_line
            and not LIST_MARK.match(line)
            and (bare[:1].islower() or (last in WRAPPED and len(bare) < WRAPPED.stop))
        )
        if bare and wrapped:
            units[-1] = f"{units[-1]} {bare}"
        elif bare:
            units.append(bare)
        open_line, last = bool(bare) and bare[-1] not in ".!?:", len(bare)
    return units


def _clean(unit: str) -> str:
    for pattern, replacement in CLEANINGS:
        unit = pattern.sub(replacement, unit)
    return unit.strip()


def _split(unit: str) -> list[str]:
    """Sentences; one that ends in an abbreviation or an initial goes on in the next."""
    joined: list[str] = []
    for sentence in sentences_of(unit):
        last = joined[-1].rsplit(" ", 1)[-1].rstrip(".").lstrip("(").lower() if joined else ""
        if last in words("abbreviations") or (len(last) == 1 and joined[-1].endswith(".") and last.isalpha()):
            joined[-1] = f"{joined[-1]} {sentence}"
        else:
            joined.append(sentence)
    return joined


def _stand_alone(sentence: str) -> Clause:
    connective = opener("removable").match(sentence)
    if connective and sentence[connective.end() : connective.end() + 2] == ", ":
        sentence = capitalised(sentence[connective.end() + 2 :])
    return Clause(sentence, alone=is_complete(sentence) and sentence[0] not in "“\"'‘(" and not _leans(sentence))


def _leans(sentence: str) -> bool:
    """Whether the sentence needs its neighbours, or asks and calls rather than tells."""
    if sentence.endswith(("?", "!")) or (PERSON.search(sentence) and not SOMEBODY.search(sentence)):
        return True
    finders = (opener("dangling").match, LEANING_INSIDE.match, cue("pointing").search, UNREADABLE.search)
    return any(find(sentence) for find in finders)


def capitalised(text: str) -> str:
    """The text with a capital first letter and the rest as it was."""
    return text[:1].upper() + text[1:]
