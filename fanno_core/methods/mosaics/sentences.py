"""The meta-instructions: what a form and a demand read like, and what a line that is one of them asks."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from random import Random
from typing import Literal

from fanno_core.methods.mosaics.demands import Demand, has_ties
from fanno_core.methods.mosaics.marks import Tags, all_tags, table
from fanno_core.methods.sentence import Sentence

LIST = r"[\d\s()\[\]<>#|,;=-]*?"
SHAPES = {"left": ".{1,30}?", "right": ".{1,30}?", "count": r"[1-9]\d{0,5}", "list": rf"{LIST}\d{LIST}"}
LONGEST = 6_000
"""Characters of a line that may be a meta-instruction; longer ones are not searched."""


def drawn_format(tags: Tags | None, random: Random) -> str:
    """A sentence that asks for an answer to each question, between the tags where there are some."""
    if tags is None:
        plain: str = random.choice(table()["format"]["plain"])
        return plain
    return random.choice(_tagged()).write({"left": tags.left, "right": tags.right})


def drawn_sentence(demand: Demand, questions: Sequence[str], random: Random) -> str:
    """A sentence that states the demand, and what to do with equals where there are any."""
    group = "one" if demand.count == 1 else demand.strategy
    before, after = random.choice(table()["listed"])
    listed = random.choice(table()["between"]).join(f"{before}{number}{after}" for number in demand.listed)
    sentence = Sentence(random.choice(table()[group][demand.rule]), SHAPES).write(
        {"list": listed, "count": str(demand.count)}
    )
    return f"{sentence} {random.choice(table()['ties'])}" if has_ties(demand, questions) else sentence


def read_format(line: str) -> tuple[Tags | None] | None:
    """The tags that the line asks for, in a tuple; a tuple of None where it asks for none; None for other lines."""
    if line in table()["format"]["plain"]:
        return (None,)
    for wording in _tagged() if len(line) <= LONGEST else ():
        values = wording.read(line)
        if values and Tags(values["left"], values["right"]) in all_tags():
            return (Tags(values["left"], values["right"]),)
    return None


def read_demand(line: str) -> Demand | None:
    """What the line demands; None for a line that is no such sentence."""
    if len(line) > LONGEST:
        return None
    for tie in table()["ties"]:
        line = line.removesuffix(f" {tie}")
    if line in _fixed():
        return _fixed()[line]
    for wording, demand in _open():
        values = wording.read(line)
        if values:
            listed = tuple(int(number) for number in re.findall(r"\d+", values.get("list", "")))
            return replace(demand, listed=listed, count=int(values.get("count", 0)))
    return None


@cache
def _tagged() -> tuple[Sentence, ...]:
    return tuple(Sentence(text, SHAPES) for text in table()["format"]["tagged"])


@cache
def _fixed() -> dict[str, Demand]:
    return {text: demand for text, demand in _demands() if "$" not in text}


@cache
def _open() -> tuple[tuple[Sentence, Demand], ...]:
    return tuple((Sentence(text, SHAPES), demand) for text, demand in _demands() if "$" in text)


def _demands() -> Iterator[tuple[str, Demand]]:
    strategies: tuple[Literal["order", "mask"], ...] = ("order", "mask")
    for strategy in strategies:
        for rule, sentences in table()[strategy].items():
            yield from ((sentence, Demand(strategy, rule)) for sentence in sentences)
    for rule, sentences in table()["one"].items():
        yield from ((sentence, Demand("mask", rule, count=1)) for sentence in sentences)
