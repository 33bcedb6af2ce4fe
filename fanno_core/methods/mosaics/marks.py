"""What tells one question from the next, and one response from the next: numbers and tags."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from itertools import product
from random import Random
from typing import Any


@cache
def table() -> dict[str, Any]:
    """The marks and sentences of `wordings.toml`."""
    return tomllib.loads(resources.files(__package__).joinpath("wordings.toml").read_text(encoding="utf-8"))


@dataclass(frozen=True, slots=True)
class Numbering:
    """How numbers are written before questions and responses: `(1). `, or `### 1:` on a line of its own."""

    before: str
    after: str

    def mark(self, number: int) -> str:
        """What stands before the text of that number."""
        return f"{self.before}{number}{self.after}"

    @property
    def pattern(self) -> str:
        """Regular expression of any such mark; its group is the number."""
        return rf"{re.escape(self.before)}([1-9]\d{{0,5}}){re.escape(self.after)}"


@dataclass(frozen=True, slots=True)
class Tags:
    """What opens and what closes a response."""

    left: str
    right: str


@cache
def numberings() -> tuple[Numbering, ...]:
    """Every way to write numbers; no two of them begin a text alike."""
    styles = product(table()["numbers"], table()["points"], (" ", "\n"))
    return tuple(Numbering(before, f"{after}{point}{end}") for (before, after), point, end in styles)


@cache
def all_tags() -> frozenset[Tags]:
    """Every pair of tags."""
    pairs = product(table()["wrappers"], table()["words"], (False, True))
    return frozenset(_tags(wrapper, words, small) for wrapper, words, small in pairs)


def drawn_numbering(random: Random) -> Numbering | None:
    """One of the styles, or none at all, each as likely as another."""
    style = random.randrange(len(table()["numbers"]) + 1)
    of_a_style = len(numberings()) // len(table()["numbers"])
    return None if style == 0 else numberings()[(style - 1) * of_a_style + random.randrange(of_a_style)]


def drawn_tags(random: Random) -> Tags:
    """A wrapper around a pair of words, in small letters half of the time."""
    return _tags(random.choice(table()["wrappers"]), random.choice(table()["words"]), random.random() < 0.5)


def _tags(wrapper: list[str], words: list[str], small: bool) -> Tags:
    opening, closing = (wrapper[0] + (word.lower() if small else word) + wrapper[1] for word in words)
    return Tags(opening, closing)
