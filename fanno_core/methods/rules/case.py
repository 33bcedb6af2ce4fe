"""Capitals and small letters: of everything, of a letter, of words, of sentences, of paragraphs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from string import ascii_lowercase

from fanno_core.methods.rules.choices import drawn_places, drawn_words, named_spans
from fanno_core.methods.rules.measures import (
    Span,
    paragraph_spans,
    paragraphs_are_clear,
    sentence_spans,
    sentences_are_clear,
    whole_word,
)
from fanno_core.methods.rules.rule import Demand, Rule, Stage, Text, ordinal


def _has_letters(text: str) -> bool:
    return text.lower() != text.upper()


def _whole(name: str, changed: Callable[[str], str]) -> Rule:
    return Rule(
        name,
        Stage.LETTERS,
        lambda text, _: [Demand()] if _has_letters(text.output) else [],
        lambda text, _: _has_letters(text.output) and text.output == changed(text.output),
        lambda text, _: changed(text.output),
    )


def _draw_letter(text: Text, random: Random) -> list[Demand]:
    found = [letter for letter in ascii_lowercase if letter in text.output]
    return [Demand(values={"letter": random.choice(found)})] if found else []


def _raise_letter(text: Text, demands: Sequence[Demand]) -> str:
    letter = demands[0].values["letter"]
    return text.output.replace(letter, letter.upper())


def _letter_raised(text: Text, demands: Sequence[Demand]) -> bool:
    letter = demands[0].values["letter"]
    return letter not in text.output and letter.upper() in text.output


def _draw_words(text: Text, random: Random) -> list[Demand]:
    return [Demand(values={"word": word}) for word in drawn_words(text, random)]


def _raise_words(text: Text, demands: Sequence[Demand]) -> str:
    output = text.output
    for demand in demands:
        output = whole_word(demand.values["word"]).sub(lambda found: found[0].upper(), output)
    return output


def _words_raised(text: Text, demands: Sequence[Demand]) -> bool:
    found = [whole_word(demand.values["word"]).findall(text.output) for demand in demands]
    return all(words and all(word.isupper() for word in words) for words in found)


def _part_rule(name: str, spans: Callable[[str], list[Span]], clear: Callable[[str], bool], fewest: int) -> Rule:
    def draw(text: Text, random: Random) -> list[Demand]:
        parts = len(spans(text.output)) if clear(text.output) else 0
        places = drawn_places(parts, random) if parts >= fewest else []
        return [Demand(values={"which": ordinal(place + 1)}) for place in places]

    def edit(text: Text, demands: Sequence[Demand]) -> str:
        output = text.output
        for start, end in reversed(named_spans(spans(output), demands)):
            output = output[:start] + output[start:end].upper() + output[end:]
        return output

    def holds(text: Text, demands: Sequence[Demand]) -> bool:
        found = [text.output[start:end] for start, end in named_spans(spans(text.output), demands)]
        return len(found) == len(demands) and all(part.isupper() for part in found)

    return Rule(name, Stage.LETTERS, draw, holds, edit)


RULES = (
    _whole("case_lower", str.lower),
    _whole("case_upper", str.upper),
    Rule("case_letter", Stage.LETTERS, _draw_letter, _letter_raised, _raise_letter),
    Rule("case_word", Stage.LETTERS, _draw_words, _words_raised, _raise_words),
    _part_rule("case_sentence", sentence_spans, sentences_are_clear, fewest=2),
    _part_rule("case_paragraph", paragraph_spans, paragraphs_are_clear, fewest=1),
)
