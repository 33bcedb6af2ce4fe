"""Yes-or-no questions to the teacher: one token, its probability, and nothing accepted by default."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from fanno_core.store.contracts import Document, Instruction, Rejection, rejected
from fanno_core.teachers.protocol import UNANSWERED, Answer, Request, Sampling, Teacher, ask
from fanno_core.teachers.rendered import rendered_request

YES, NO = "1", "0"
UNREADABLE = "unreadable_verdict"
# Rows that go through all questions before the next do, so that what the server's prefix cache holds of their
# documents is still there.
GROUP = 64
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
    kept: list[Judged] = []
    dropped: list[Rejection] = []
    for start in range(0, len(rows), GROUP):
        standing = list(rows[start : start + GROUP])
        for question in questions:
            asked, standing = standing, []
            answers = await ask(teacher, [_request(question.prompt, row, values_of(row)) for row in asked])
            for row, answer in zip(asked, answers, strict=True):
                result = _judged(row, question, answer, phase)
                (dropped if isinstance(result, Rejection) else standing).append(result)  # type: ignore[arg-type]
        kept += standing
    return kept, dropped


def _judged(row: Judged, question: Question, answer: Answer, phase: str) -> Judged | Rejection:
    """The row with its probability, or its rejection."""
    if answer.finish in UNANSWERED:
        return rejected(row, phase, UNANSWERED[answer.finish], question.prompt)
    probability = read_verdict(answer)
    if probability is None:
        return rejected(row, phase, UNREADABLE, question.prompt)
    if not question.passes(probability):
        return rejected(row, phase, question.reason, f"{question.prompt} {probability:.3f}")
    found: dict[str, Any] = {question.column: probability}
    return replace(row, **found, cut_tokens=max(row.cut_tokens, answer.cut_tokens))


def _request(prompt: str, row: Judged, values: dict[str, str]) -> Request:
    document_id = row.id if isinstance(row, Document) else row.document_id
    return rendered_request(row.id, prompt, values, Sampling(max_tokens=1), document_id, (YES, NO))
