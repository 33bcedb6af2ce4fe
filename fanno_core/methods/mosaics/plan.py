"""How a mosaic is to look, drawn, and the mosaic that it gives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Literal

from fanno_core.methods.mosaics.demands import Demand, drawn_demand, sequence_of
from fanno_core.methods.mosaics.marks import Numbering, Tags, drawn_numbering, drawn_tags, table
from fanno_core.methods.mosaics.sentences import drawn_format, drawn_sentence

Strategies = Literal["both", "format", "order", "mask"]
CHOICES: dict[Strategies, tuple[Literal["format", "order", "mask"], ...]] = {
    "both": ("format", "order", "mask"),
    "format": ("format",),
    "order": ("format", "order"),
    "mask": ("format", "mask"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """A meta-instruction and where it stands: before or after the questions, one or two line feeds away."""

    text: str
    first: bool
    gap: str

    def around(self, text: str) -> str:
        """The text with the line; the text alone where the line is empty."""
        if not self.text:
            return text
        return f"{self.text}{self.gap}{text}" if self.first else f"{text}{self.gap}{self.text}"


NO_LINE = Line("", True, "")


@dataclass(frozen=True, slots=True)
class Plan:
    """The form of a mosaic, and what it demands besides.

    Attributes:
        numbering: of questions and responses; None for none.
        tags: around each response; None for none.
        form: the sentence that asks for the form.
        demand: on the order of the responses or on which there are; None for all of them as they stand.
        rule: the sentence that states the demand.
        gap: between two questions.
    """

    numbering: Numbering | None = None
    tags: Tags | None = None
    form: Line = NO_LINE
    demand: Demand | None = None
    rule: Line = NO_LINE
    gap: str = "\n"


BARE = Plan()
"""A single question and its answer as they are."""


def drawn_plan(questions: Sequence[str], strategies: Strategies, tag_probability: float, random: Random) -> Plan:
    """A plan for these questions; a single one has a form and no demand."""
    numbering = drawn_numbering(random)
    tags = drawn_tags(random) if random.random() < tag_probability else None
    form = _line(drawn_format(tags, random), random) if tags or random.random() < 0.5 else NO_LINE
    gap = random.choice(("\n", "\n\n"))
    strategy = random.choice(CHOICES[strategies])
    if strategy == "format" or len(questions) == 1:
        return Plan(numbering, tags, form, gap=gap)
    demand = drawn_demand(strategy, random.choice(list(table()[strategy])), len(questions), random)
    rule = _line(drawn_sentence(demand, questions, random), random)
    return Plan(numbering, tags, form, demand, rule, gap)


def mosaic_of(plan: Plan, questions: Sequence[str], answers: Sequence[str]) -> tuple[str, str]:
    """The instruction and the response that a plan makes of questions and their answers."""
    tags = plan.tags or Tags("", "")
    asked = [_mark(plan, number) + question for number, question in enumerate(questions, 1)]
    given = [
        f"{_mark(plan, number)}{tags.left}{answers[number - 1]}{tags.right}"
        for number in sequence_of(plan.demand, questions)
    ]
    return plan.rule.around(plan.form.around(plan.gap.join(asked))), "\n\n".join(given)


def _mark(plan: Plan, number: int) -> str:
    return plan.numbering.mark(number) if plan.numbering else ""


def _line(text: str, random: Random) -> Line:
    return Line(text, random.random() < 0.5, random.choice(("\n", "\n\n")))
