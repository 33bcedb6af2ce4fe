"""Structure to text: records of subject, verb and object, and the sentences that they make."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from statistics import mean

from fanno_core.teachers.extractive.analysis import FINITE, tagged
from fanno_core.teachers.extractive.lexicon import words
from fanno_core.teachers.extractive.phrases import Tagged
from fanno_core.teachers.extractive.question import Question
from fanno_core.teachers.extractive.sentences import capitalised
from fanno_core.teachers.extractive.wording import Brief, lower_first, numbered
from fanno_core.text import words_of

Record = tuple[str, str, str]
"""Subject, verb and object."""

LINE = re.compile(r"^subject: (.+?) \| verb: (.+?) \| object: (.+)$", re.MULTILINE)
SUBJECT_TAGS = {"DT", "POS", "JJ", "NN", "NNS", "NNP", "NNPS", "CC", "PRP$", "CD", "VBG", "VBN"}
RECORDS = 3
LINKS = {"of", "in", "for", "on", "from", "between", "with", "to"}
LONGEST_SUBJECT = 8
LONGEST_OBJECT = 30


@lru_cache(maxsize=4096)
def record_of(sentence: str) -> Record | None:
    """Subject, verb and object of a sentence of the simplest build, or nothing for any other."""
    plain = sentence.replace("’", "'")
    tokens = tagged(plain)
    start, end = _verb_group(tokens)
    if not _is_subject(tokens[:start]) or end >= len(tokens) or re.search(r"[|!?]|: ", plain):
        return None
    subject, verb = (_joined([word for word, _ in part]) for part in (tokens[:start], tokens[start:end]))
    found = re.fullmatch(rf"({subject})\s+({verb})\s+(\S.*)\.", plain)
    if not found or not 2 <= len(words_of(found[3])) <= LONGEST_OBJECT:
        return None
    return lower_first(found[1]), found[2], found[3]


def _verb_group(tokens: Sequence[Tagged]) -> tuple[int, int]:
    """Start and end of the first finite verb with its adverbs and the verbs that belong to it."""
    finite = next((place for place, (_, tag) in enumerate(tokens) if tag in FINITE), 0)
    start = finite - 1 if finite > 1 and tokens[finite - 1][1] == "RB" else finite
    end = finite + (2 if tokens[finite][1] == "MD" else 1)
    while end < len(tokens) and tokens[end][1].startswith(("VB", "RB")):
        end += 1
    return start, end


def _is_subject(tokens: Sequence[Tagged]) -> bool:
    """Whether the words are a noun phrase that can be understood alone."""
    if not 0 < len(tokens) <= LONGEST_SUBJECT or tokens[-1][1][:2] != "NN" or tokens[0][1] == "IN":
        return False
    leaning = tokens[0][0].lower() in words("definite") - {"the"}
    return not leaning and all(tag in SUBJECT_TAGS or word in LINKS for word, tag in tokens)


def _joined(tokens: Sequence[str]) -> str:
    """A pattern for the words as they stand in the sentence: spaced, or a mark right after a word."""
    return r"\s*".join(map(re.escape, tokens))


def material(brief: Brief, _wording: str) -> str:
    """Records that the document's plainest sentences make, or failing these a record of two key phrases."""
    known = [record for sentence in brief.sentences if (record := record_of(sentence.text))]
    a, b, _ = brief.phrases
    drawn = brief.draw.sample(known, RECORDS) or [(a.full, a.verb, f"closely linked with {b.full}")]
    return "\n".join(f"subject: {s} | verb: {v} | object: {o}" for s, v, o in drawn)


def asks(question: Question) -> bool:
    """Whether records stand in the material."""
    return bool(LINE.search(question.material))


def answer(question: Question) -> str:
    """The records as sentences, in the manner that the wording asks for."""
    records: list[Record] = [(s, v, o) for s, v, o in LINE.findall(question.material)]
    if question.shape == "multi-step":
        records.sort(key=lambda record: record[0].lower())
        return numbered([as_sentence(record) for record in records])
    prose = " ".join(as_sentence(record) for record in records)
    line = question.bare.lower()
    if "museum" in line:
        return f"Welcome, dear visitors! {prose} Please follow me to the next room."
    if "radio" in line:
        return f"You are listening to the morning news. {prose} More at the top of the hour."
    if question.shape == "critical-thinking":
        return f"{prose}\n\n{_weighed(records, least='least' in line)}"
    if question.shape == "interdisciplinary":
        lengths = [len(words_of(as_sentence(record))) for record in records]
        return f"{prose}\n\nSentences: {len(records)}; words: {sum(lengths)}; mean length: {mean(lengths):.1f} words."
    return prose


def as_sentence(record: Record) -> str:
    """The record as a sentence."""
    return f"{capitalised(' '.join(record))}."


def _weighed(records: list[Record], *, least: bool) -> str:
    """Which record says most, or least, measured by the content words of its object."""
    pick = min if least else max
    chosen = pick(records, key=lambda record: len(words_of(record[2])))
    if least:
        return f'The record about "{chosen[0]}" says least: its object adds only "{chosen[2]}".'
    return f'The record about "{chosen[0]}" tells most, since its object is the most specific.'
