"""Yes-or-no questions to the teacher: one token, its probability, and nothing accepted by default."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from fanno_core.prompts.loader import load_prompt
from fanno_core.store.contracts import Document, Instruction, Rejection, rejected
from fanno_core.teachers.protocol import Answer, Request, Sampling, Teacher

YES, NO = "1", "0"
UNREADABLE = "unreadable_verdict"
# What chat models put around a one-character answer; anything more is no verdict.
_VERDICT = re.compile(r"[\s\"'`*_(\[]*([01])[\s\"'`*_)\].]*")

Judged = TypeVar("Judged", Document, Instruction)


@dataclass(frozen=True, slots=True)
class Question:
    """A verdict on rows of one kind.

    Attributes:
        prompt: its prompt file.
        column: where the probability of "1" is kept.
        reason: why a row is rejected that fails.
        passes: whether that probability is good enough.
    """

    prompt: str
    column: str
    reason: str
    passes: Callable[[float], bool]


def read_verdict(answer: Answer) -> float | None:
    """The probability of "1" in [0, 1]; None where the answer is neither "0" nor "1"."""
    if answer.probability is not None:
        return answer.probability if 0 <= answer.probability <= 1 else None
    match = _VERDICT.fullmatch(answer.text)
    return float(match[1]) if match else None


async def judge(
    rows: Sequence[Judged],
    questions: Sequence[Question],
    values_of: Callable[[Judged], dict[str, str]],
    teacher: Teacher,
    phase: str,
) -> tuple[list[Judged], list[Rejection]]:
    """Rows that pass every question, and the others with the reason of the first they failed.

    A question is put only for rows that passed those before it; each row is judged on its own.

    Raises:
        TryAgain, RunStops: from the teacher.
    """
    dropped: list[Rejection] = []
    kept = list(rows)
    for question in questions:
        asked, kept = kept, []
        answers = await teacher.answer([_request(question.prompt, row, values_of(row)) for row in asked])
        for row, answer in zip(asked, answers, strict=True):
            probability = read_verdict(answer)
            if answer.finish == "context":
                dropped.append(rejected(row, phase, "prompt_too_long", question.prompt))
            elif probability is None:
                dropped.append(rejected(row, phase, UNREADABLE, question.prompt))
            elif question.passes(probability):
                found: dict[str, Any] = {question.column: probability}
                kept.append(replace(row, **found))
            else:
                dropped.append(rejected(row, phase, question.reason, f"{question.prompt} {probability:.3f}"))
    return kept, dropped


def _request(prompt: str, row: Judged, values: dict[str, str]) -> Request:
    return Request(
        row_id=row.id,
        prompt=prompt,
        text=load_prompt(prompt).render(values),
        sampling=Sampling(max_tokens=1),
        fields=values,
        choices=(YES, NO),
        document_id=row.id if isinstance(row, Document) else row.document_id,
    )
