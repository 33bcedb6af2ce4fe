"""Text categorisation: what a sentence does, which shelf it belongs on, which field of study it is nearest to."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

from fanno_core.teachers.extractive.lexicon import data_file
from fanno_core.teachers.extractive.question import Question
from fanno_core.teachers.extractive.sentences import capitalised
from fanno_core.teachers.extractive.wording import Brief, listed, numbered

SENTENCES = 3
LINE = re.compile(r"^Categories: (.+)$", re.MULTILINE)
KINDS = "kinds"
SHELVES = "shelves"
FIELDS = "fields"


@dataclass(frozen=True, slots=True)
class Label:
    """A category with the words that speak for it; none where it is only what remains."""

    name: str
    evidence: tuple[str, ...]


def scheme_of(wording: str) -> str:
    """The set of categories that a wording calls for."""
    if re.search(r"\bshelf|\bshelves|\blibrar", wording):
        return SHELVES
    return FIELDS if re.search(r"\bfield\b", wording) else KINDS


def labels_of(sentence: str, scheme: str) -> list[Label]:
    """The categories that fit a sentence, best first; the last one is what remains where nothing else fits."""
    table: dict[str, str] = data_file("lexicon.toml")["categories"][scheme]
    found = []
    for place, (name, pattern) in enumerate(table.items()):
        hits = tuple(dict.fromkeys(hit[0] for hit in re.finditer(pattern, sentence, re.IGNORECASE))) if pattern else ()
        if hits or not pattern:
            weight = len(hits) if scheme != KINDS else int(bool(hits))
            found.append((-weight, place, Label(name, hits)))
    return [label for _, _, label in sorted(found, key=lambda item: item[:2])]


def material(brief: Brief, wording: str) -> str:
    """The categories, and a sentence or several to put into them."""
    scheme = scheme_of(wording)
    names = ", ".join(data_file("lexicon.toml")["categories"][scheme])
    clear = [s for s in brief.sentences if labels_of(s.text, scheme)[0].evidence] or brief.sentences
    if "these" not in wording and "each" not in wording:
        return f"Categories: {names}\nSentence: {brief.draw.choose(clear).text}"
    drawn = {sentence.text for sentence in brief.draw.sample(clear if len(clear) > 1 else brief.sentences, SENTENCES)}
    return f"Categories: {names}\n{numbered([s.text for s in brief.sentences if s.text in drawn])}"


def asks(question: Question) -> bool:
    """Whether categories stand in the material."""
    return bool(LINE.search(question.material))


def answer(question: Question) -> str:
    """The category or categories, with the words that decide."""
    scheme = scheme_of(question.bare)
    lines = [line for line in question.material.split("\n") if line.strip() and not LINE.match(line)]
    sentences = [re.sub(r"^(?:\d+\.|Sentence:) ", "", line) for line in lines] or [question.first]
    ranked = [labels_of(sentence, scheme) for sentence in sentences]
    if question.shape == "multi-step":
        each = numbered([f"{capitalised(labels[0].name)}: {_reason(labels[0])}" for labels in ranked])
        return f"{each}\n\nMost frequent: {listed(_most_frequent([labels[0].name for labels in ranked]))}."
    best, others = ranked[0][0], ranked[0][1:]
    if scheme == SHELVES:
        return f"Shelf: {best.name}\nThe librarian explains: {_reason(best)}"
    plain = f"Category: {best.name}\nReason: {_reason(best)}"
    if question.shape != "critical-thinking":
        return plain
    if not others or not others[0].evidence:
        return f"{plain}\nNo other category comes close: none of their signs is there."
    return f"{plain}\nA close second: {others[0].name}, since {_reason(others[0])}"


def _most_frequent(names: list[str]) -> list[str]:
    counts = Counter(names)
    return [name for name in dict.fromkeys(names) if counts[name] == max(counts.values())]


def _reason(label: Label) -> str:
    if not label.evidence:
        return "it states how things are, without a sign of any other category."
    shown = listed([f'"{word.strip()}"' for word in label.evidence[:3]])
    return f"the wording {shown} is typical of it."
