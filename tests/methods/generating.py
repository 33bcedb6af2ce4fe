"""What the tests of generating methods have in common: rows, documents, and a teacher that answers by prompt."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from random import Random
from typing import Any

import numpy as np

from fanno_core.methods.contract import Generator, Lot, Origin
from fanno_core.methods.rows import made_row
from fanno_core.outcome import Outcome
from fanno_core.selection.losses import Scorer
from fanno_core.store.contracts import Example, Floats, Placed
from fanno_core.teachers.protocol import Answer, Request, Teacher
from fanno_core.tools import Tools, options_of
from tests.scripted import ScriptedTeacher

Reply = Callable[[Request], str | Answer]

SEEDS = (
    "Name three rivers that flow through more than one country.",
    "Is the sentence a compliment or an insult?",
    "Explain to a child why the sky is blue.",
    "Convert the recipe to portions for twelve guests.",
    "Which word does not belong with the others?",
    "Write a polite refusal to an invitation.",
    "Find the spelling mistakes and correct them.",
    "Summarise the plot of a fairy tale in two sentences.",
    "Suggest five gifts for somebody who likes to hike.",
    "Estimate how many hairs grow on a human head.",
)
PROSE = "Whales breathe air, so they come to the surface. A blue whale eats small shrimp that are called krill."


class Replying(ScriptedTeacher):
    """Answers as a function says, and in any order where it is told to shuffle."""

    def __init__(self, reply: Reply, shuffle: int | None = None) -> None:
        self.asked = []
        self._reply, self._shuffle = reply, shuffle

    async def answers(self, requests: Sequence[Request]) -> AsyncGenerator[tuple[int, Answer]]:
        found = [pair async for pair in super().answers(requests)]
        if self._shuffle is not None:
            Random(self._shuffle).shuffle(found)
        for pair in found:
            yield pair

    def reply(self, request: Request) -> Answer:
        answer = self._reply(request)
        return answer if isinstance(answer, Answer) else Answer(answer)


def seeds(*instructions: str) -> list[Example]:
    """Rows that nobody's method made."""
    return [made_row(Origin("file"), text, "", "Somebody's answer.") for text in instructions or SEEDS]


def documents(*texts: str) -> list[Placed]:
    """Screened documents."""
    return [
        Placed(f"d{n}", f"d{n}", 1, 0, n, 0, text, "here.txt", str(n), "CC0-1.0", len(text.split()), 1.0)
        for n, text in enumerate(texts)
    ]


def tools_with(teacher: Teacher, seed: int = 7) -> Tools:
    return Tools(teacher, _no_vectors, _no_scorer, seed)


def _no_vectors(texts: Sequence[str]) -> Floats:
    return np.zeros((len(texts), 2), np.float32)


def _no_scorer(model: str) -> Scorer:
    raise AssertionError(f"nobody asked for {model}")


async def written(
    method: Generator[Any], teacher: Teacher, lot: Lot, seed: int = 7, **options: object
) -> Outcome[Example]:
    """The rows of a lot."""
    return await method.write(lot, tools_with(teacher, seed), options_of(method.options, method.name, options))
