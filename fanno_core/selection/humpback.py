"""Humpback's self-curation: the teacher rates each row from 1 to 5 as an example of an assistant's answer.

The judge gives its reasons first and the score on the last line. Answers without a score from 1 to 5 are counted apart
and never kept; of the unofficial code's own judge nearly half are such.

Covered: one round of self-curation, by any teacher. Not covered: training the judge between rounds, and writing the
instructions, which is `--method backtranslation`.

Source: Li et al. 2023, arXiv 2308.06259; the reading of scores is that of Spico197/Humpback a14814a, not by the
authors.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Literal

from pydantic import Field

from fanno_core.selection.contract import Score, Selector
from fanno_core.selection.ranking import UNREADABLE, choose_by_score
from fanno_core.store.contracts import Example, question_of
from fanno_core.teachers.protocol import Answer, Request, Sampling, ask, finish_fault
from fanno_core.teachers.rendered import rendered_request
from fanno_core.tools import Options, Tools

PROMPT = "humpback_score"
BY = "humpback_score"
_AT_THE_END = re.compile(r"[Ss]core:\s*([0-9]+)\Z")
_ANYWHERE = re.compile(r"[Ss]core:\s*([0-9]+)")


class HumpbackOptions(Options):
    """How the judge's answer is read."""

    max_tokens: int = Field(512, ge=1, description="longest reasoning of the judge with its score")
    reading: Literal["strict", "loose"] = Field(
        "strict", description="strict: the score ends the answer; loose: anywhere, which takes some that were not meant"
    )


async def score(rows: Sequence[Example], tools: Tools, options: HumpbackOptions) -> list[Score]:
    """The teacher's score of each row.

    Raises:
        TryAgain, RunStops: from the teacher.
    """
    answers = await ask(tools.teacher, [score_request(row, options) for row in rows])
    return [rated(row.id, answer, options) for row, answer in zip(rows, answers, strict=True)]


def score_request(row: Example, options: HumpbackOptions) -> Request:
    """The question to the judge about a row."""
    values = {"instruction": question_of(row), "output": row.output}
    return rendered_request(row.id, PROMPT, values, Sampling(options.max_tokens), row.document_id)


def rated(row_id: str, answer: Answer, options: HumpbackOptions) -> Score:
    """The score in an answer; a reason where there is none."""
    if reason := finish_fault(answer):  # of one that is cut, too: the score comes last
        return Score(row_id, BY, math.nan, reason)
    found = last_score(answer.text, options.reading)
    return Score(row_id, BY, found, UNREADABLE if math.isnan(found) else "")


def last_score(text: str, reading: Literal["strict", "loose"] = "strict") -> float:
    """The score from 1 to 5 with which an answer ends, or which it holds; NaN where there is none."""
    found = (_AT_THE_END if reading == "strict" else _ANYWHERE).search(text.strip())
    value = int(found[1]) if found and len(found[1]) == 1 else 0
    return float(value) if 1 <= value <= 5 else math.nan


HUMPBACK = Selector(
    name="humpback",
    meaning="rows that the teacher finds perfect examples of an assistant's answer, 5 of 5 (Humpback)",
    version=1,
    keep=">=5",
    score=score,
    choose=choose_by_score,
    options=HumpbackOptions,
    prompts=(PROMPT,),
)
