"""A sentence that can be written with values and read back: the two ways of one `$name` template."""

from __future__ import annotations

import re
from collections.abc import Mapping
from string import Template

NAME = re.compile(r"\$([a-z]+)")


class Sentence:
    """A sentence with `$name` placeholders, each of which stands for text of a known shape.

    Attributes:
        source: regular expression without groups that matches it, whatever its values are.
    """

    def __init__(self, text: str, shapes: Mapping[str, str]) -> None:
        parts = NAME.split(text)
        named = [f"(?P<{part}>{shapes[part]})" if place % 2 else re.escape(part) for place, part in enumerate(parts)]
        plain = [f"(?:{shapes[part]})" if place % 2 else re.escape(part) for place, part in enumerate(parts)]
        self.source = "".join(plain)
        self._template = Template(text)
        self._pattern = re.compile("".join(named))

    def write(self, values: Mapping[str, str]) -> str:
        """The sentence with its values."""
        return self._template.substitute(values)

    def read(self, text: str) -> dict[str, str] | None:
        """The values with which the whole text was written; None where it is another sentence."""
        found = self._pattern.fullmatch(text)
        return found.groupdict() if found else None

    def read_each(self, text: str) -> list[dict[str, str]]:
        """The values of each place where it stands in a text, in order."""
        return [found.groupdict() for found in self._pattern.finditer(text)]
