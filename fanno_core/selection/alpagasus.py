"""AlpaGasus: the teacher rates each row from 0 to 5 in one respect, and rows of 4.5 and more are kept.

The score stands on the first line of the answer. The published reader takes any number, 9 included; a score after
`Score:` it cuts to its first digit, and if that is a blank it fails. Here a score is a number from 0 to 5, and whatever
cannot be read has none: it is counted apart and never kept. `reading=published` is the published reader, failures
aside.

Source: Chen et al. 2023, arXiv 2307.08701; the only code is gpt4life/alpagasus 95ad3e5, `rating`, not by the authors.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Literal

from pydantic import Field

from fanno_core.selection.contract import Score, Selector
from fanno_core.selection.ranking import UNREADABLE, choose_by_score
from fanno_core.store.contracts import Example
from fanno_core.teachers.protocol import UNANSWERED, Answer, Request, Sampling, ask
from fanno_core.teachers.rendered import rendered_request
from fanno_core.tools import Options, Tools

PROMPT = "judge_triplet"
HIGHEST = 5
_FIRST_LINE = re.compile(
    r"[\s*#>]*(?:(?:score|rating)\W{0,6})?(\d(?:\.\d+)?)(?: ?/ ?5| out of 5)?[\s*.]*", re.IGNORECASE
)


class JudgeOptions(Options):
    """In which respect rows are rated, and how the answer is read."""

    dimension: Literal["accuracy", "helpfulness"] = Field("accuracy", description="what of the response is rated")
    max_tokens: int = Field(256, ge=1, description="longest answer of the judge; 256 in the published code")
    reading: Literal["strict", "published"] = Field(
        "strict", description="strict: a number from 0 to 5 alone on the first line; published: as the published code"
    )


async def score(rows: Sequence[Example], tools: Tools, options: JudgeOptions) -> list[Score]:
    """The teacher's score of each row.

    Raises:
        TryAgain, RunStops: from the teacher.
    """
    answers = await ask(tools.teacher, [judge_request(row, options) for row in rows])
    return [judged(row.id, answer, options) for row, answer in zip(rows, answers, strict=True)]


def judge_request(row: Example, options: JudgeOptions) -> Request:
    """The question to the judge about a row."""
    values = {"instruction": row.instruction, "input": row.input, "output": row.output, "dimension": options.dimension}
    return rendered_request(row.id, PROMPT, values, Sampling(options.max_tokens), row.document_id)


def judged(row_id: str, answer: Answer, options: JudgeOptions) -> Score:
    """The score in an answer; a reason where there is none. Only what comes after the score may be cut off."""
    if answer.finish in UNANSWERED:
        return Score(row_id, options.dimension, math.nan, UNANSWERED[answer.finish])
    found = strict_score(answer.text) if options.reading == "strict" else published_score_or_none(answer.text)
    if answer.finish == "length" and "\n" not in answer.text.strip():
        return Score(row_id, options.dimension, math.nan, "cut_off")
    return Score(row_id, options.dimension, found, UNREADABLE if math.isnan(found) else "")


def strict_score(text: str) -> float:
    """The number from 0 to 5 that the first line is; NaN where it is anything else."""
    found = _FIRST_LINE.fullmatch(text.strip().partition("\n")[0])
    return float(found[1]) if found and float(found[1]) <= HIGHEST else math.nan


def published_score(text: str) -> float:
    """What the published reader makes of an answer; -1 where it finds nothing.

    Raises:
        ValueError: there is no number where it looks for one.

    Source: `parse_score` of gpt4life/alpagasus.
    """
    try:
        return float(text.split("\n")[0])
    except ValueError:
        if "score:" in text:
            return float(text.split("score:")[1].split("\n")[0])
        return float(text.split("Score:")[1].strip("\n")[:1]) if "Score:" in text else -1.0


def published_score_or_none(text: str) -> float:
    """The same; NaN where it finds nothing, or fails."""
    try:
        found = published_score(text)
    except ValueError:
        return math.nan
    return found if math.isfinite(found) and found >= 0 else math.nan


JUDGE = Selector(
    name="judge",
    meaning="rows that the teacher rates 4.5 or more of 5, for accuracy or helpfulness (AlpaGasus)",
    version=1,
    keep=">=4.5",
    score=score,
    choose=choose_by_score,
    options=JudgeOptions,
    prompts=(PROMPT,),
)
