"""Prompt files: `$name` placeholders, no logic; a missing or an unused name is refused."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from string import Template

from fanno_core.errors import RunStops

DOCUMENTS = {"document", "retrieved"}
"""Placeholders that may be shortened where a prompt does not fit the teacher's context."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt file."""

    name: str
    template: str

    @property
    def digest(self) -> str:
        """First 12 hex digits of the SHA-256 of the file's text."""
        return hashlib.sha256(self.template.encode()).hexdigest()[:12]

    @property
    def label(self) -> str:
        """How a row names the prompt that made it."""
        return f"{self.name}@{self.digest}"

    def render(self, values: Mapping[str, str]) -> str:
        """The prompt with each placeholder replaced once; values are never searched for placeholders.

        A document stands in a fence whose mark is drawn from the document itself, so that no document can
        close its own fence.

        Raises:
            RunStops: a placeholder has no value, or a value has no placeholder.
        """
        wanted = set(Template(self.template).get_identifiers()) - {"fence"}
        if wanted != set(values):
            missing, unused = sorted(wanted - set(values)), sorted(set(values) - wanted)
            raise RunStops(f"prompt {self.name}.txt: values missing for {missing}, unused values {unused}")
        return Template(self.template).substitute(values, fence=fence_mark(values))

    def render_with_span(self, values: Mapping[str, str]) -> tuple[str, tuple[int, int]]:
        """The rendered prompt, and where its documents begin and end in it; (0, 0) for a prompt without any.

        Raises:
            RunStops: a placeholder has no value, or a value has no placeholder.
        """
        text = self.render(values)
        if DOCUMENTS.isdisjoint(values):
            return text, (0, 0)
        mark = fence_mark(values)  # stands in no value, so its first and last places are the fence's own
        return text, (text.index(f"<<{mark}\n") + len(mark) + 3, text.rindex(f"\n{mark}>>"))


def fence_mark(values: Mapping[str, str]) -> str:
    """A mark that stands in none of the values: hex digits of a digest over all of them."""
    joined = "\0".join(f"{name}\0{values[name]}" for name in sorted(values))
    shared = values.get("document", joined)
    mark = hashlib.sha256(shared.encode()).hexdigest()[:8]
    while mark in joined:
        mark = hashlib.sha256(mark.encode()).hexdigest()[:8]
    return mark


@cache
def load_prompt(name: str) -> Prompt:
    """The prompt of that name.

    Raises:
        RunStops: there is no such file.
    """
    path = resources.files(__package__).joinpath(f"{name}.txt")
    if not path.is_file():
        raise RunStops(f"there is no prompt file {name}.txt in fanno_core/prompts")
    return Prompt(name, path.read_text(encoding="utf-8").rstrip("\n"))
