"""Which instruction to ask for: a characteristic, a task type and a form, out of 96 combinations.

The pool is data (`tags.toml`). A document gets all of it, as in FANNO's published code, or a sample in which
every tag of an axis comes as often as the others.
"""

from __future__ import annotations

import random
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from itertools import product


@dataclass(frozen=True, slots=True)
class Tag:
    """One value of an axis: what rows call it, and the sentence that explains it to the teacher."""

    key: str
    description: str


@dataclass(frozen=True, slots=True)
class Tags:
    """One value of each axis: what a seed instruction is to be like."""

    characteristic: Tag
    task_type: Tag
    form: Tag

    def values(self) -> dict[str, str]:
        """The placeholders of `seed_instruction.txt`, all but the document."""
        return {
            "characteristic": self.characteristic.key,
            "characteristic_description": self.characteristic.description,
            "task_type": self.task_type.key,
            "task_description": self.task_type.description,
            "form": self.form.key,
            "form_description": self.form.description,
        }


@cache
def tag_pool() -> tuple[Tags, ...]:
    """All 96 combinations in the published order: characteristic outside, task type, form inside."""
    axes = _axis("characteristic"), _axis("task_type"), _axis("form")
    return tuple(Tags(*combination) for combination in product(*axes))


@cache
def form_rules() -> dict[str, str]:
    """The rule that Think Different gives for each form, by the form's key."""
    return {entry["key"]: entry["rule"] for entry in _entries("form")}


def tags_for(document_id: str, count: int, seed: int) -> tuple[Tags, ...]:
    """`count` different combinations for a document, in the order of the pool; all of them from 96 on.

    Within a document no tag of an axis comes more than once oftener than another of that axis. Over many
    documents each of the 96 combinations is equally likely.

    Args:
        document_id: decides, together with the seed, which combinations are drawn.
        count: 1 to 96.
        seed: seed of the run.
    """
    pool = tag_pool()
    if count >= len(pool):
        return pool
    rng = random.Random(f"{seed}:tags:{document_id}")
    drawn = set(_balanced_order(rng)[:count])
    return tuple(tags for tags in pool if tags in drawn)


def _balanced_order(rng: random.Random) -> list[Tags]:
    """The pool in an order of which every beginning is balanced on each axis.

    Each round goes once through the task types while the characteristics turn, one further on in each round, so
    that four rounds pair every task type with every characteristic; four more do so with the other form.
    """
    characteristics, task_types, forms = (
        rng.sample(axis, len(axis)) for axis in map(_axis, ("characteristic", "task_type", "form"))
    )
    turns, places = len(characteristics), len(task_types)
    first_forms = [rng.randrange(len(forms)) for _ in range(turns)]
    order = []
    for turn in range(turns * len(forms)):
        for place in range(places):
            # place // turns shifts the forms, so that no characteristic keeps to one form within a round
            form = place + place // turns + first_forms[turn % turns] + turn // turns
            order.append(
                Tags(characteristics[(place + turn) % turns], task_types[place], forms[form % len(forms)]),
            )
    return order


@cache
def _axis(name: str) -> tuple[Tag, ...]:
    return tuple(Tag(entry["key"], entry["description"]) for entry in _entries(name))


def _entries(axis: str) -> list[dict[str, str]]:
    file = resources.files(__package__).joinpath("tags.toml")
    entries: list[dict[str, str]] = tomllib.loads(file.read_text(encoding="utf-8"))[axis]
    return entries
