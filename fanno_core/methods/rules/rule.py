"""What a rule is, and how its requirements are worded and read."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from functools import cache
from importlib import resources
from random import Random
from typing import Any

from fanno_core.methods.sentence import Sentence

MOST_CLAUSES = 5
"""Words, sentences or paragraphs that one requirement names."""
SHAPES = {
    "amount": r"\d{1,7} [a-z -]+",
    "times": r"once|twice|[1-9]\d{0,6} times",
    "which": r"[1-9]\d{0,4}(?:st|nd|rd|th)",
    "word": r"[A-Za-z]+",
    "letter": "[a-z]",
    "mark": "comma|period|punctuation mark",
    "new": r'[^\w\s"]|_',
    "left": r'[^"\n]{1,40}',
    "right": r'[^"\n]{1,40}',
}


class Stage(IntEnum):
    """When a rule's turn is: what edits comes before what measures, so that a count is of the final text."""

    LETTERS = 1
    MARKS = 2
    REPETITION = 3
    COUNTS = 4


@dataclass(frozen=True, slots=True)
class Text:
    """What a rule works on: the instruction without requirements, and the response."""

    question: str
    output: str


@dataclass(frozen=True, slots=True)
class Demand:
    """One clause: `how` is its group of wordings, `values` are what its placeholders stand for, as they are written."""

    how: str = "done"
    values: Mapping[str, str] = field(default_factory=dict)


def unedited(text: Text, _: Sequence[Demand]) -> str:
    """The response as it is, for rules that only measure."""
    return text.output


@dataclass(frozen=True)
class Rule:
    """A kind of requirement.

    Attributes:
        name: of it, and of its table of wordings where `table` names no other.
        stage: when it is applied.
        draw: demands that suit a text, all with the same `how`; none where the rule does not suit it.
        holds: whether a response keeps all demands, recomputed from its text.
        edit: the response changed so that they hold.
        unit: of its amounts, in the singular.
        table: of wordings, where several rules share one.
        bullets: whether it is only for responses with bullet points.
    """

    name: str
    stage: Stage
    draw: Callable[[Text, Random], list[Demand]]
    holds: Callable[[Text, Sequence[Demand]], bool]
    edit: Callable[[Text, Sequence[Demand]], str] = unedited
    unit: str = ""
    table: str = ""
    bullets: bool = False

    def worded(self, demands: Sequence[Demand], random: Random) -> str:
        """A sentence that requires all demands."""
        wording = random.choice(_wordings(self.table or self.name, self.unit)[demands[0].how])
        clauses = [wording.write(demand.values) for demand in demands]
        joined = ", and ".join((", ".join(clauses[:-1]), clauses[-1])) if len(clauses) > 1 else clauses[0]
        return random.choice(_openings()).write({"clauses": joined})

    def read(self, clauses: str) -> list[Demand]:
        """The demands of the clauses; none where they are not of this rule."""
        for series, how, wording in _series(self.table or self.name, self.unit):
            if series.fullmatch(clauses):
                return [Demand(how, values) for values in wording.read_each(clauses)]
        return []


def clauses_of(line: str) -> str:
    """What stands inside an opening; empty for a line that is no requirement."""
    for opening in _openings():
        values = opening.read(line)
        if values:
            return values["clauses"]
    return ""


def ordinal(number: int) -> str:
    """1st, 2nd, 3rd, 4th, 11th, 21st."""
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def place_of(demand: Demand) -> int:
    """The place that an ordinal names, from 0."""
    return int(re.sub(r"\D", "", demand.values["which"])) - 1


def how_often(times: int) -> str:
    """Once, twice, 3 times."""
    return {1: "once", 2: "twice"}.get(times, f"{times} times")


def times_of(demand: Demand) -> int:
    """The number that `once`, `twice` or `3 times` stands for."""
    times = demand.values["times"]
    return {"once": 1, "twice": 2}.get(times) or int(times.split()[0])


@cache
def wording_table() -> dict[str, Any]:
    """The sentences of `wordings.toml`."""
    return tomllib.loads(resources.files(__package__).joinpath("wordings.toml").read_text(encoding="utf-8"))


@cache
def _openings() -> tuple[Sentence, ...]:
    return tuple(Sentence(text, {"clauses": ".+"}) for text in wording_table()["openings"])


@cache
def _wordings(table: str, unit: str) -> Mapping[str, Sequence[Sentence]]:
    shapes = SHAPES | ({"amount": rf"\d{{1,7}} {unit}s?"} if unit else {})
    return {how: [Sentence(text, shapes) for text in texts] for how, texts in wording_table()[table].items()}


@cache
def _series(table: str, unit: str) -> Sequence[tuple[re.Pattern[str], str, Sentence]]:
    """What finds one or more clauses of a wording, with its group and the wording."""
    return [
        (re.compile(f"(?:{wording.source})(?:, (?:and )?(?:{wording.source}))*"), how, wording)
        for how, wordings in _wordings(table, unit).items()
        for wording in wordings
    ]
