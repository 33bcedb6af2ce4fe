"""Which words and which parts of a response a requirement names."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from fanno_core.methods.rules.measures import Span, content_words
from fanno_core.methods.rules.rule import MOST_CLAUSES, Demand, Text, place_of
from fanno_core.text import words_of


def drawn_words(text: Text, random: Random) -> list[str]:
    """Up to five words of the response, half of the time of those that the instruction has too; none without any."""
    words = content_words(text.output)
    asked = {word.lower() for word in words_of(text.question)} if random.random() < 0.5 else set()
    pool = [word for word in words if word.lower() in asked] or words
    return random.sample(pool, random.randint(1, min(MOST_CLAUSES, len(pool)))) if pool else []


def drawn_places(parts: int, random: Random) -> list[int]:
    """Half of so many places, from 0 and ascending; at least one and at most five."""
    return sorted(random.sample(range(parts), min(MOST_CLAUSES, max(1, parts // 2))))


def named_spans(spans: Sequence[Span], demands: Sequence[Demand]) -> list[Span]:
    """The spans whose places the demands name; fewer where a place is beyond the last one."""
    return [spans[place] for place in map(place_of, demands) if place < len(spans)]
