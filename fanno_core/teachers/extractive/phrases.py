"""Key phrases: the nouns that a document turns about, ready to stand in a question."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from fanno_core.teachers.extractive.lexicon import words

Tagged = tuple[str, str]
"""A word and its Penn Treebank tag."""

PLAIN_WORD = re.compile(r"[A-Za-z][a-z]{2,}(?:-[a-z]{2,})*|[A-Z]{2,6}")
LONGEST = 3
AN = re.compile(
    r"(?!uni|use|usu|eu|one\b|ur[aei])[aeiou]|(?!uni|use|usu|eu|one\b)[AEIOU][a-z]|[AEFHILMNORSX](?:[A-Z]|\b)|hour|honest|heir"
)
"""Begins with the sound of a vowel."""
VERB_LIKE_NEXT = {"DT", "PRP", "PRP$", "WP", "RB"}
"""A noun right before one of these is more often a verb that the tagger took for a noun."""
BEFORE_VERB = {"PRP", "MD", "TO", "WP", "WDT"}
"""A noun right after one of these is more often a verb."""
ARTICLE_TELLS = ("IN", "VB", "TO", "MD", "RB", ".")
"""Right after one of these a missing article is missing for good; elsewhere it may stand further left."""


@dataclass(frozen=True, slots=True)
class Phrase:
    """A noun phrase. `text` is bare; `full` has the article that it takes in this document."""

    text: str
    full: str
    plural: bool
    proper: bool

    @property
    def verb(self) -> str:
        """`is` or `are`, whichever agrees."""
        return "are" if self.plural else "is"


@dataclass
class _Sighting:
    count: int = 0
    first: int = 0
    plural: bool = False
    proper: bool = True
    articles: Counter[str] = field(default_factory=Counter)


def key_phrases(sentences: Sequence[Sequence[Tagged]], limit: int = 24) -> tuple[Phrase, ...]:
    """The phrases that matter most, best first: frequent, early, of two or three words, not proper names."""
    seen: dict[str, _Sighting] = {}
    for number, sentence in enumerate(sentences):
        for start, end in _noun_runs(sentence):
            _record(seen, sentence, start, end, number)
    for text in [
        text for text, sighting in seen.items() if not sighting.plural and set(sighting.articles) == {"shared"}
    ]:
        del seen[text]  # "or system": whether it takes an article cannot be told
    total = max(1, len(sentences))
    parts = Counter(
        part for text, sighting in seen.items() for part in set(text.split()) for _ in range(sighting.count)
    )

    def score(text: str) -> float:
        sighting, length = seen[text], len(text.split())
        shared = sum(parts[part] for part in text.split()) / length
        early = 1 - 0.5 * sighting.first / total
        return (
            sighting.count * early * (1.6 if length > 1 else 1.0) * (1 + 0.2 * shared) * (0.5 if sighting.proper else 1)
        )

    ranked = sorted(seen, key=lambda text: (-score(text), text))
    return tuple(_without_echoes(_phrase(text, seen[text]) for text in ranked))[:limit]


def _noun_runs(sentence: Sequence[Tagged]) -> Iterable[tuple[int, int]]:
    """Start and end of each run of adjectives and nouns that ends in a noun."""
    start = 0
    while start < len(sentence):
        end = start
        while end < len(sentence) and sentence[end][1][:2] in {"JJ", "NN"} and PLAIN_WORD.fullmatch(sentence[end][0]):
            end += 1
        stop = end
        while stop > start and sentence[stop - 1][1][:2] != "NN":
            stop -= 1
        if start < stop - 1 and _verb_follows(sentence, start):
            start += 1
        while start < stop and sentence[start][0].lower() in words("weak_starts") | words("stop"):
            start += 1
        if start < stop <= start + LONGEST and not _looks_like_verb(sentence, start, stop):
            yield start, stop
        start = max(end, start) + 1


def _looks_like_verb(sentence: Sequence[Tagged], start: int, stop: int) -> bool:
    after = sentence[stop][1] if stop < len(sentence) else "."
    before = sentence[start - 1][1] if start else "DT"
    possessive = stop < len(sentence) and sentence[stop][0].startswith(("'", "’"))
    return (
        possessive
        or after in VERB_LIKE_NEXT
        or _verb_follows(sentence, start)
        or (stop - start == 1 and before in {"NNP", "RB"})
    )


def _verb_follows(sentence: Sequence[Tagged], start: int) -> bool:
    """Whether a verb is due at this place: after `to`, `can`, `they` and the like, with or without an adverb."""
    before = [tag for _, tag in sentence[max(0, start - 2) : start]]
    return bool(before) and (before[-1] in BEFORE_VERB or (before[-1] == "RB" and before[0] in BEFORE_VERB))


def _record(seen: dict[str, _Sighting], sentence: Sequence[Tagged], start: int, end: int, number: int) -> None:
    run = sentence[start:end]
    proper = any(
        tag.startswith("NNP") or word[0].isupper()
        for word, tag in (run if start else run[1:] or [(run[0][0].lower(), run[0][1])])
    )
    tokens = [word if proper or word.isupper() else word.lower() for word, _ in run]
    lowered = [token.lower() for token in tokens]
    head = lowered[-1]
    if head in words("weak_heads") or head in words("stop") or len(head) < 3:
        return
    if any(token in words("refused") or token in words("stop") for token in lowered) or len(set(lowered)) < len(
        lowered
    ):
        return
    sighting = seen.setdefault(" ".join(tokens), _Sighting(first=number))
    sighting.count += 1
    sighting.plural |= _is_plural(head, run[-1][1])
    sighting.proper &= proper
    sighting.articles[_article_before(sentence, start)] += 1


def _is_plural(head: str, tag: str) -> bool:
    return tag.endswith("S") and head.endswith("s") and not head.endswith(("ss", "us", "is", "ics", "news"))


def _article_before(sentence: Sequence[Tagged], start: int) -> str:
    """`a`, `the`, nothing, or `shared` with what comes before: the article before a phrase and its adjectives."""
    while start > 0 and (sentence[start - 1][1].startswith(("JJ", "VBN", "VBG")) or _participle(sentence, start - 1)):
        start -= 1
    before = sentence[start - 1][0].lower() if start else ""
    if before in words("countable"):
        return "a"
    if before in words("definite"):
        return "the"
    return "shared" if start and not sentence[start - 1][1].startswith(ARTICLE_TELLS) else ""


def _participle(sentence: Sequence[Tagged], place: int) -> bool:
    """Whether a word tagged as a past tense stands inside a noun phrase: `a leaked`, `a single leaked`."""
    return sentence[place][1] == "VBD" and place > 0 and sentence[place - 1][1].startswith(("DT", "JJ"))


def _phrase(text: str, sighting: _Sighting) -> Phrase:
    article = ""
    counts = sighting.articles
    if not sighting.plural and counts["a"]:
        article = "an " if AN.match(text) else "a "
    elif not sighting.plural and counts["the"] and counts["the"] >= counts[""]:
        article = "the "
    return Phrase(text, article + text, sighting.plural, sighting.proper)


def _without_echoes(phrases: Iterable[Phrase]) -> Iterable[Phrase]:
    """Each phrase that neither holds nor is held by a better one."""
    kept: list[str] = []
    for phrase in phrases:
        stem = f" {phrase.text.lower()} ".replace("s ", " ")
        if not any(stem in other or other in stem for other in kept):
            kept.append(stem)
            yield phrase
