"""Rows and tools for the tests of selectors."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from functools import cache

import numpy as np

from fanno_core.methods.contract import Origin
from fanno_core.methods.rows import made_row
from fanno_core.selection.contract import Chosen, Score
from fanno_core.selection.losses import Scorer, load_scorer
from fanno_core.store.contracts import Example, Floats
from fanno_core.teachers.extractive.teacher import ExtractiveTeacher
from fanno_core.teachers.protocol import Answer, Request, Teacher
from fanno_core.tools import Tools
from tests.scripted import ScriptedTeacher
from tests.shared_data import shared, shared_rows


def row_of(instruction: str, output: str, given: str = "") -> Example:
    return made_row(Origin("file"), instruction, given, output)


def alpaca_rows(most: int) -> list[Example]:
    """The first rows of the Alpaca sample, in the order of their ids, as selectors get them."""
    rows = [row_of(r["instruction"], r["output"], r["input"]) for r in shared_rows("alpaca_sample_2000.jsonl")[:most]]
    return sorted(rows, key=lambda row: row.id)


def letters(texts: Sequence[str]) -> Floats:
    """Unit vectors by how often each letter comes in a text: a stand-in for the encoder."""
    counts = np.array([[text.lower().count(chr(97 + n)) + 0.01 for n in range(26)] for text in texts])
    unit: Floats = (counts / np.linalg.norm(counts, axis=1, keepdims=True)).astype(np.float32)
    return unit


@cache
def tiny_model(name: str) -> Scorer:
    return load_scorer(str(shared(f"tiny_models/{name}")))


def tools_with(teacher: Teacher | None = None) -> Tools:
    """Tools with that teacher, or the extractive one; models are those of the data folder, by their name."""
    return Tools(teacher or ExtractiveTeacher(), letters, tiny_model, 42)


class Judge(ScriptedTeacher):
    """Answers by what it is given for the output of each row; the answers come in another order than the questions."""

    def __init__(self, reply: Callable[[str], Answer | str], backwards: bool = False) -> None:
        self.asked: list[Request] = []
        self._reply, self._backwards = reply, backwards

    def reply(self, request: Request) -> Answer:
        found = self._reply(request.fields["output"])
        return Answer(found) if isinstance(found, str) else found

    async def answers(self, requests: Sequence[Request]) -> AsyncGenerator[tuple[int, Answer]]:
        self.asked += requests
        for place in range(len(requests))[:: -1 if self._backwards else 1]:
            yield place, self.reply(requests[place])


def scores_of(values: Sequence[float], by: str = "test") -> list[Score]:
    """A score each; `nothing_to_score` where one is NaN."""
    return [Score(str(place), by, v, "nothing_to_score" if v != v else "") for place, v in enumerate(values)]


def reasons_of(chosen: Chosen) -> dict[int, str]:
    """Places that were left out, with their reason codes."""
    return {place: why for place, (why, _) in chosen.others.items()}
