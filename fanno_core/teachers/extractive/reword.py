"""Paraphrase and plain English: one sentence in other words, by a table of replacements and one change of order."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from fanno_core.teachers.extractive.lexicon import pairs
from fanno_core.teachers.extractive.question import Question
from fanno_core.teachers.extractive.sentences import capitalised
from fanno_core.teachers.extractive.wording import Brief, bulleted, listed, lower_first
from fanno_core.text import words_of

ASKED = re.compile(
    r"\b(?:reword|reworded|rephrase|paraphrase|paraphrased|other words)\b|plain English|everyday English", re.IGNORECASE
)
FRONTED = re.compile(
    r"(If|When|Although|Because|After|Before|Once|Unless|Whenever|As soon as) ([^,;:()\"“”]+), ([^,;:()\"“”]+)\."
)
JOINED = re.compile(r"([^,;:()\"“”]+) (if|although|because|unless|whenever) ([^,;:()\"“”]+)\.")
PLACED = re.compile(
    r"((?:In|On|At|During|By|For|Under|Among|Despite|Throughout|After|Before|Since) [^,;:()\"“”]+), ([^,;:()\"“”]+)\."
)
SERIES = re.compile(r"\b([a-z]{3,}), ([a-z]{3,}),? and ([a-z]{3,})\b")
BROKEN = re.compile(r"; (?=[a-z])|, and (?=(?:the|it|they|he|she|we|you|this|that|there|a|an) )")
FRAMES = ("Put differently,", "In short,", "To say it in other words:", "The point is that")
PRONOUNS = ("it ", "they ", "he ", "she ", "this ", "that ", "these ", "those ", "not ", "then ")
LONGEST = 40
"""Words of a sentence that is put up for rewording."""


@dataclass(frozen=True, slots=True)
class Rewording:
    """The new sentence, and which words of the old one were replaced by which."""

    text: str
    replaced: tuple[tuple[str, str], ...]
    moved: bool = False


def reword(sentence: str, table: str, *, framed: bool = True) -> Rewording:
    """The sentence in other words. Where few rules fit, a frame is put before it, so that it is never the same.

    Args:
        sentence: one whole sentence.
        table: `reword`, or `plain` for simpler words and shorter sentences.
        framed: false where the caller puts an opening of its own before the sentence.
    """
    replaced: list[tuple[str, str]] = []

    def replacement(found: re.Match[str]) -> str:
        new = pairs(table)[found[0].lower()]
        replaced.append((found[0].lower(), new))
        return capitalised(new) if found[0][0].isupper() else new

    text = _pattern(table).sub(replacement, sentence)
    ordered = _reordered(text) if table == "reword" else ". ".join(capitalised(part) for part in BROKEN.split(text))
    moved = ordered != text
    if framed and len(replaced) + moved < (2 if table == "reword" else 1):
        ordered = f"{FRAMES[len(sentence) % len(FRAMES)]} {lower_first(ordered)}"
    return Rewording(ordered, tuple(dict.fromkeys(replaced)), moved)


@cache
def _pattern(table: str) -> re.Pattern[str]:
    keys = sorted(pairs(table), key=lambda key: (-len(key), key))
    return re.compile(rf"(?<![\w-])(?:{'|'.join(map(re.escape, keys))})(?![\w-])", re.IGNORECASE)


def _reordered(text: str) -> str:
    """The sentence with its subordinate clause on the other side, or as it was where that would read badly."""
    text = SERIES.sub(r"\3, \2 and \1", text)
    fronted, joined, placed = (pattern.fullmatch(text) for pattern in (FRONTED, JOINED, PLACED))
    if fronted and not fronted[3].startswith(PRONOUNS) and len(words_of(fronted[3])) > 2:
        return f"{capitalised(fronted[3])} {fronted[1].lower()} {lower_first(fronted[2])}."
    if joined and not joined[3].startswith(PRONOUNS) and len(words_of(joined[1])) > 3 and len(words_of(joined[3])) > 2:
        return f"{joined[2].capitalize()} {joined[3]}, {lower_first(joined[1])}."
    if (
        placed
        and len(words_of(placed[1])) <= 6
        and not placed[2].lower().startswith(PRONOUNS)
        and len(words_of(placed[2])) > 4
    ):
        return f"{capitalised(placed[2])} {placed[1][0].lower()}{placed[1][1:]}."
    return text


def material(brief: Brief, wording: str) -> str:
    """A sentence that offers something to replace."""
    table = table_of(wording)
    short = [s.text for s in brief.sentences if len(words_of(s.text)) <= LONGEST] or [s.text for s in brief.sentences]

    def offers(text: str) -> int:
        made = reword(text, table)
        return len(made.replaced) + made.moved

    ranked = sorted(short, key=lambda text: (-offers(text), text))
    best = [text for text in ranked if offers(text) >= max(1, offers(ranked[0]) - 1)] or ranked
    return brief.draw.choose(best[:4])


def table_of(wording: str) -> str:
    """The table of replacements that a wording calls for."""
    return "plain" if re.search(r"plain English|everyday English", wording) else "reword"


def asks(question: Question) -> bool:
    """Whether the wording asks for other words, and there is a sentence to put into them."""
    return bool(question.material and ASKED.search(question.bare))


def answer(question: Question) -> str:
    """The new sentence, in the manner that the wording asks for."""
    sentence = question.material.split("\n", 1)[0].strip()
    line = question.bare.lower()
    spoken = "radio" in line or "friend" in line or bool(question.discipline)
    made = reword(sentence, table_of(question.bare), framed=not spoken)
    if question.shape == "multi-step":
        changes = bulleted([f"{old} → {new}" for old, new in made.replaced]) or (
            "- none, only the order changes" if made.moved else "- none, only the opening is new"
        )
        return f"Replacements:\n{changes}\n\nNew sentence:\n{made.text}"
    if question.shape == "critical-thinking":
        return f"{made.text}\n\n{_judged(made, sentence)}"
    if "radio" in line:
        return f"Good morning, listeners! Here is one to take with you: {lower_first(made.text)}"
    if "friend" in line:
        return f"You know what? {_contracted(made.text)}"
    if question.discipline:
        return f"For students of {question.discipline}: {lower_first(made.text)}"
    return made.text


def _judged(made: Rewording, sentence: str) -> str:
    """What the new wording keeps, and what it changes."""
    kept = "Kept: the statement itself; nobody would act differently after the new version."
    length = len(words_of(made.text)) - len(words_of(sentence))
    change = (
        "is as long as before"
        if not length
        else f"is {abs(length)} word{'s' * (abs(length) > 1)} {'longer' if length > 0 else 'shorter'}"
    )
    swaps = listed([f'"{old}" gave way to "{new}"' for old, new in made.replaced[:3]])
    order = "the clauses changed places" if made.moved else ""
    details = " and ".join(part for part in (swaps, order) if part) or "only the opening is new"
    return f"{kept}\nChanged: {details}, and the sentence {change}, which shifts the tone a little."


def _contracted(text: str) -> str:
    for full, short in (
        ("is not", "isn't"),
        ("are not", "aren't"),
        ("do not", "don't"),
        ("does not", "doesn't"),
        ("cannot", "can't"),
        ("will not", "won't"),
        ("it is", "it's"),
        ("did not", "didn't"),
    ):
        text = re.sub(rf"\b{full}\b", short, text)
    return text
