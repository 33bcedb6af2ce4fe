"""In which order questions are to be answered, or which of them not: what each rule comes to on given questions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from random import Random
from types import MappingProxyType
from typing import Any, Literal

from fanno_core.text import words_of

Key = Callable[[str], Any]


def _alphabet(question: str) -> list[str]:
    return [word.casefold() for word in words_of(question)]


def _words(question: str) -> int:
    return len(question.split())


RANKINGS: Mapping[tuple[str, str], tuple[Key, bool]] = MappingProxyType(
    {
        ("order", "alphabetical"): (_alphabet, False),
        ("order", "reverse_alphabetical"): (_alphabet, True),
        ("order", "fewest_words"): (_words, False),
        ("order", "most_words"): (_words, True),
        ("order", "fewest_characters"): (len, False),
        ("order", "most_characters"): (len, True),
        ("mask", "longest"): (_words, True),
        ("mask", "shortest"): (_words, False),
    }
)
"""What a rule sorts by, and whether the greatest comes first. Among equals the earlier one always comes first."""
MASKED_SHARE = (0.1, 0.5)


@dataclass(frozen=True, slots=True)
class Demand:
    """What a meta-instruction wants besides a form.

    Attributes:
        strategy: `order`: all are answered, in another order; `mask`: some are not answered.
        rule: name of the rule in `wordings.toml`.
        listed: the numbers that it names: the whole order, or those left out.
        count: how many a mask by length leaves out.
    """

    strategy: Literal["order", "mask"]
    rule: str
    listed: tuple[int, ...] = ()
    count: int = 0


def drawn_demand(strategy: Literal["order", "mask"], rule: str, size: int, random: Random) -> Demand:
    """The demand of a rule on so many questions, at least two: at least one is left out, and at least one is not."""
    count = max(1, int(size * random.uniform(*MASKED_SHARE)))
    if rule == "listed":
        return Demand(strategy, rule, tuple(random.sample(range(1, size + 1), size if strategy == "order" else count)))
    return Demand(strategy, rule, count=count if rule in ("longest", "shortest") else 0)


def sequence_of(demand: Demand | None, questions: Sequence[str]) -> tuple[int, ...]:
    """The numbers of the questions that are answered, in the order of their answers; empty where it cannot be met."""
    numbers = tuple(range(1, len(questions) + 1))
    if demand is None:
        return numbers
    if demand.strategy == "order":
        return _ordered(demand, numbers, questions)
    left_out = _left_out(demand, numbers, questions)
    return tuple(number for number in numbers if number not in left_out) if left_out < set(numbers) else ()


def has_ties(demand: Demand, questions: Sequence[str]) -> bool:
    """Whether the rule sorts by something that two of the questions have in common."""
    if (demand.strategy, demand.rule) not in RANKINGS:
        return False
    keys = sorted(map(RANKINGS[demand.strategy, demand.rule][0], questions))
    return any(one == other for one, other in pairwise(keys))


def _ordered(demand: Demand, numbers: tuple[int, ...], questions: Sequence[str]) -> tuple[int, ...]:
    odd, even = numbers[::2], numbers[1::2]
    match demand.rule:
        case "listed":
            return demand.listed if tuple(sorted(demand.listed)) == numbers else ()
        case "reverse":
            return numbers[::-1]
        case "odd_even":
            return odd + even
        case "even_odd":
            return even + odd
        case _:
            return _ranked(demand, numbers, questions)


def _left_out(demand: Demand, numbers: tuple[int, ...], questions: Sequence[str]) -> set[int]:
    match demand.rule:
        case "listed":
            return set(demand.listed)
        case "odd":
            return set(numbers[::2])
        case "even":
            return set(numbers[1::2])
        case _:
            return set(_ranked(demand, numbers, questions)[: demand.count])


def _ranked(demand: Demand, numbers: tuple[int, ...], questions: Sequence[str]) -> tuple[int, ...]:
    key, greatest_first = RANKINGS[demand.strategy, demand.rule]
    return tuple(sorted(numbers, key=lambda number: key(questions[number - 1]), reverse=greatest_first))
