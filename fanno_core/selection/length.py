"""The longest rows: length as a cheap sign of substance, and a strong baseline for every other selector.

Magpie's own filters end with it: of the rows that passed, those with the longest responses.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Literal

from pydantic import Field

from fanno_core.selection.contract import Chosen, Keep, Score, Selector
from fanno_core.selection.ranking import chosen, within
from fanno_core.store.contracts import Example, question_of
from fanno_core.text import words_of
from fanno_core.tools import Options, Tools


class LengthOptions(Options):
    """What is measured, and which end is kept."""

    field: Literal["output", "instruction", "both"] = Field(
        "output", description="what is measured: the response, the instruction with its input, or both"
    )
    unit: Literal["tokens", "words"] = Field("tokens", description="the teacher's own tokens, or words")
    order: Literal["longest", "shortest"] = Field("longest", description="which rows are kept")


async def score(rows: Sequence[Example], tools: Tools, options: LengthOptions) -> list[Score]:
    """The length of each row."""
    texts = [_measured(row, options.field) for row in rows]
    if options.unit == "words":
        lengths = [len(words_of(text)) for text in texts]
    else:
        lengths = await asyncio.to_thread(tools.teacher.count_tokens, texts)
    by = f"{options.field}_{options.unit}"
    return [Score(row.id, by, float(length)) for row, length in zip(rows, lengths, strict=True)]


def _measured(row: Example, field: str) -> str:
    parts = {"output": [row.output], "instruction": [question_of(row)], "both": [question_of(row), row.output]}
    return "\n".join(parts[field])


def choose(
    rows: Sequence[Example], scores: Sequence[Score], keep: Keep, _tools: Tools, options: LengthOptions
) -> Chosen:
    """The longest rows, or the shortest, in this order; of equal ones the first. With a smallest length, its rows."""
    if options.order == "longest" or keep.at_least is not None:
        return chosen(within(scores, range(len(rows)), keep, len(rows)), scores)
    rising = sorted(range(len(rows)), key=lambda place: scores[place].score)
    return chosen(rising[: keep.count(len(rows))], scores)


LENGTH = Selector(
    name="length",
    meaning="the longest responses",
    version=1,
    keep="10%",
    score=score,
    choose=choose,
    options=LengthOptions,
    asks=True,
)
