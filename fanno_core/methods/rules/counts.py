"""How much there is of something: the numbers of nine things, and how often a word appears."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

from fanno_core.methods.rules.choices import drawn_words
from fanno_core.methods.rules.measures import (
    bullet_spans,
    character_count,
    letter_count,
    occurrences,
    paragraph_spans,
    paragraphs_are_clear,
    sentence_spans,
    sentences_are_clear,
    tagged_count,
    word_count,
    words_are_clear,
)
from fanno_core.methods.rules.rule import Demand, Rule, Stage, Text, how_often, times_of

Measure = Callable[[str], int]
WIDEST_GAP = 3
"""Of a word's count to the bound on it."""


def _amount_rule(name: str, unit: str, measure: Measure, clear: Callable[[str], bool], bullets: bool = False) -> Rule:
    def draw(text: Text, random: Random) -> list[Demand]:
        count = measure(text.output) if clear(text.output) else 0
        if not count:
            return []
        how = random.choice(("exactly", "fewer", "more"))
        gap = random.randint(1, max(1, count // 2))
        if how == "more" and gap == count:
            how = "exactly"  # more than none would ask for nothing
        amount = {"exactly": count, "fewer": count + gap, "more": count - gap}[how]
        return [Demand(how, {"amount": f"{amount} {unit}{'s' * (amount != 1)}"})]

    def holds(text: Text, demands: Sequence[Demand]) -> bool:
        return all(_compares(demand.how, measure(text.output), _number(demand)) for demand in demands)

    return Rule(name, Stage.COUNTS, draw, holds, unit=unit, table="amount", bullets=bullets)


def _number(demand: Demand) -> int:
    return int(demand.values["amount"].split()[0])


def _compares(how: str, found: int, wanted: int) -> bool:
    match how:
        case "exactly":
            return found == wanted
        case "fewer" | "most":
            return found < wanted + (how == "most")
        case "more" | "least":
            return found > wanted - (how == "least")
    raise ValueError(f"no comparison is called {how}")


def _draw_words(text: Text, random: Random) -> list[Demand]:
    chosen = drawn_words(text, random)
    how, gap = random.choice(("exactly", "most", "least", "included")), random.randint(1, WIDEST_GAP)
    return [Demand(how, {"word": word} | _times(how, occurrences(word, text.output), gap)) for word in chosen]


def _times(how: str, count: int, gap: int) -> dict[str, str]:
    if how == "included":
        return {}
    return {"times": how_often({"exactly": count, "most": count + gap, "least": max(1, count - gap)}[how])}


def _words_hold(text: Text, demands: Sequence[Demand]) -> bool:
    found = ((demand, occurrences(demand.values["word"], text.output)) for demand in demands)
    return all(
        count > 0 if demand.how == "included" else _compares(demand.how, count, times_of(demand))
        for demand, count in found
    )


RULES = (
    Rule("frequency_word", Stage.COUNTS, _draw_words, _words_hold),
    _amount_rule("frequency_adjective", "adjective", tagged_count("adjective"), words_are_clear),
    _amount_rule("frequency_noun", "noun", tagged_count("noun"), words_are_clear),
    _amount_rule("frequency_verb", "verb", tagged_count("verb"), words_are_clear),
    _amount_rule("frequency_letter", "letter", letter_count, bool),
    _amount_rule("frequency_character", "non-whitespace character", character_count, bool),
    _amount_rule("number_word", "word", word_count, words_are_clear),
    _amount_rule("number_sentence", "sentence", lambda text: len(sentence_spans(text)), sentences_are_clear),
    _amount_rule("number_paragraph", "paragraph", lambda text: len(paragraph_spans(text)), paragraphs_are_clear),
    _amount_rule("number_bullet", "bullet point", lambda text: len(bullet_spans(text)), bool, bullets=True),
)
