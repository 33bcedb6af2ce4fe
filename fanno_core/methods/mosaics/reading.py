"""A mosaic read back from its two texts, without knowing how it was made."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from fanno_core.methods.mosaics.demands import Demand, sequence_of
from fanno_core.methods.mosaics.marks import Numbering, Tags, numberings
from fanno_core.methods.mosaics.sentences import read_demand, read_format

Read = TypeVar("Read")


@dataclass(frozen=True, slots=True)
class Mosaic:
    """What the texts of a mosaic say.

    Attributes:
        numbering, tags: as the questions and the instruction show them; None for none.
        demand: on order or omission; None where every question is to be answered as it stands.
        questions: in their order.
        sequence: numbers of the questions that are to be answered, in the order of the responses, worked out from the
            instruction alone.
        answered: numbers that the responses bear; where they bear none, `sequence`.
        answers: in the order in which they are given.
    """

    numbering: Numbering | None
    tags: Tags | None
    demand: Demand | None
    questions: tuple[str, ...]
    sequence: tuple[int, ...]
    answered: tuple[int, ...]
    answers: tuple[str, ...]

    @property
    def strategy(self) -> str:
        """`format`, `order` or `mask`."""
        return self.demand.strategy if self.demand else "format"

    @property
    def left_out(self) -> tuple[int, ...]:
        """Numbers of the questions that are not to be answered."""
        return tuple(number for number in range(1, len(self.questions) + 1) if number not in self.sequence)


def read_mosaic(instruction: str, output: str) -> Mosaic | None:
    """What the texts say; None where they are no mosaic that can be read."""
    demand, text = _peeled(instruction, read_demand)
    form, text = _peeled(text, read_format)
    tags = form[0] if form else None
    numbering = next((style for style in numberings() if text.startswith(style.mark(1))), None)
    questions = _questions(text, numbering, alone=not demand and not form)
    if not questions:
        return None
    sequence = sequence_of(demand, questions)
    found = _answers(output, numbering, tags, sequence)
    if not found:
        return None
    answered, answers = zip(*found, strict=True)
    return Mosaic(numbering, tags, demand, questions, sequence, answered, answers)


def _peeled(text: str, read: Callable[[str], Read | None]) -> tuple[Read | None, str]:
    """What the first line says, or else the last, and the text without that line."""
    first, _, behind = text.partition("\n")
    before, _, last = text.rpartition("\n")
    for line, rest in ((first, behind), (last, before)):
        found = read(line) if rest else None
        if found is not None:
            return found, rest.strip("\n")
    return None, text


def _questions(text: str, numbering: Numbering | None, alone: bool) -> tuple[str, ...]:
    if numbering is None:
        gap = "\n\n" if "\n\n" in text else "\n"
        return (text,) if alone else tuple(text.split(gap))
    marks = list(re.finditer(rf"(?:^|\n){numbering.pattern}", text))
    if [int(mark[1]) for mark in marks] != list(range(1, len(marks) + 1)):
        return ()
    ends = [mark.start() for mark in marks[1:]] + [len(text)]
    return tuple(text[mark.end() : end].strip() for mark, end in zip(marks, ends, strict=True))


def _answers(
    output: str, numbering: Numbering | None, tags: Tags | None, sequence: tuple[int, ...]
) -> list[tuple[int, str]]:
    """Each answer with its number, in order; none where they are not told apart."""
    left, right = (tags.left, tags.right) if tags else ("", "")
    if numbering is None:
        inner = output.removeprefix(left).removesuffix(right)
        answers = inner.split(f"{right}\n\n{left}") if len(sequence) > 1 else [inner]
        whole = f"{left}{inner}{right}" == output and len(answers) == len(sequence)
        return list(zip(sequence, answers, strict=True)) if whole else []
    marks = list(re.finditer(rf"(?:\A|\n\n){numbering.pattern}{re.escape(left)}", output))
    if not marks or marks[0].start():
        return []
    ends = [mark.start() for mark in marks[1:]] + [len(output)]
    parts = [output[mark.end() : end] for mark, end in zip(marks, ends, strict=True)]
    if not all(part.endswith(right) for part in parts):
        return []
    return [(int(mark[1]), part.removesuffix(right)) for mark, part in zip(marks, parts, strict=True)]
