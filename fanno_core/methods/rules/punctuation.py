"""Commas, full stops or every mark: replaced by another mark, or left out."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from random import Random
from string import punctuation

from fanno_core.methods.rules.rule import Demand, Rule, Stage, Text

NEW_MARKS = ";|_-@#$"


def _is_punctuation(character: str) -> bool:
    return character in punctuation or unicodedata.category(character).startswith("P")


KINDS: dict[str, Callable[[str], bool]] = {
    "comma": lambda character: character == ",",
    "period": lambda character: character == ".",
    "punctuation mark": _is_punctuation,
}
"""The marks that are meant, by what they are called."""


def _found(text: Text) -> list[str]:
    return [kind for kind, is_meant in KINDS.items() if any(map(is_meant, text.output))]


def _swapped(text: str, kind: str, new: str) -> str:
    is_meant = KINDS[kind]
    return text.translate({ord(character): new for character in set(text) if is_meant(character)})


def _draw_replacement(text: Text, random: Random) -> list[Demand]:
    kinds = _found(text)
    new = [mark for mark in NEW_MARKS if mark not in text.output]
    return [Demand(values={"mark": random.choice(kinds), "new": random.choice(new)})] if kinds and new else []


def _replace(text: Text, demands: Sequence[Demand]) -> str:
    return _swapped(text.output, demands[0].values["mark"], demands[0].values["new"])


def _replaced(text: Text, demands: Sequence[Demand]) -> bool:
    new = demands[0].values["new"]
    is_meant = KINDS[demands[0].values["mark"]]
    return new in text.output and not any(is_meant(character) for character in text.output if character != new)


def _draw_removal(text: Text, random: Random) -> list[Demand]:
    kinds = [kind for kind in _found(text) if _swapped(text.output, kind, "").strip()]
    return [Demand(values={"mark": random.choice(kinds)})] if kinds else []


def _remove(text: Text, demands: Sequence[Demand]) -> str:
    return _swapped(text.output, demands[0].values["mark"], "").strip()


def _removed(text: Text, demands: Sequence[Demand]) -> bool:
    return bool(text.output) and not any(map(KINDS[demands[0].values["mark"]], text.output))


RULES = (
    Rule("punctuation_replacement", Stage.LETTERS, _draw_replacement, _replaced, _replace),
    Rule("punctuation_removal", Stage.LETTERS, _draw_removal, _removed, _remove),
)
