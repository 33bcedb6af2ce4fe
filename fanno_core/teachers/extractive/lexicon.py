"""The word lists of `lexicon.toml`, read once, when first needed."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from importlib import resources
from typing import Any


@cache
def data_file(name: str) -> dict[str, Any]:
    """What stands in one of the teacher's own TOML files."""
    return tomllib.loads(resources.files(__package__).joinpath(name).read_text(encoding="utf-8"))


@cache
def disciplines() -> dict[str, str]:
    """The fields of study that wordings speak of, and what each of them asks."""
    return dict(data_file("templates.toml")["disciplines"])


@cache
def words(name: str) -> frozenset[str]:
    """The lower-cased words of a list."""
    return frozenset(data_file("lexicon.toml")["words"][name].split())


@cache
def pairs(name: str) -> dict[str, str]:
    """A table of words and what may stand in their place."""
    return dict(data_file("lexicon.toml")["pairs"][name])


@cache
def cue(name: str) -> re.Pattern[str]:
    """A pattern that finds any of a group of cues as whole words, whatever their case."""
    return re.compile(rf"(?<!\w)(?:{'|'.join(data_file('lexicon.toml')['cues'][name])})(?!\w)", re.IGNORECASE)


@cache
def opener(name: str) -> re.Pattern[str]:
    """A pattern that finds any of a group of openings at the very start, the longest first."""
    openings = sorted(data_file("lexicon.toml")["openers"][name], key=lambda opening: (-len(opening), opening))
    return re.compile(rf"(?:{'|'.join(map(re.escape, openings))})(?!\w)", re.IGNORECASE)
