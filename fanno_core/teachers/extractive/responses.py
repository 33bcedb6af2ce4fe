"""Responses: the first task whose words the instruction uses answers it, and prose answers whatever is left."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from fanno_core.teachers.extractive import (
    categories,
    code,
    codes,
    entailment,
    maths,
    records,
    reword,
    sentiment,
    summary,
)
from fanno_core.teachers.extractive.analysis import analyse
from fanno_core.teachers.extractive.prose import NOTHING_KNOWN, answer_prose
from fanno_core.teachers.extractive.question import Question

Asks = Callable[[Question], bool]
Answers = Callable[[Question], str | None]

TASKS: tuple[tuple[Asks, Answers], ...] = (
    (maths.asks, maths.answer),
    (entailment.asks, entailment.answer),
    (records.asks, records.answer),
    (categories.asks, categories.answer),
    (code.asks, code.answer),
    (codes.asks, codes.answer),
    (sentiment.asks, sentiment.answer),
    (reword.asks, reword.answer),
    (summary.asks, summary.answer),
)
"""Who is asked first: those whose material leaves no doubt, then those that go by the wording."""


def respond(fields: Mapping[str, str]) -> str:
    """The answer to an instruction from the documents beside it; without any, the statement that there is none."""
    documents = [fields[name] for name in ("document", "retrieved") if fields.get(name, "").strip()]
    first, _, material = fields.get("instruction", "").strip().partition("\n")
    if not documents:
        return NOTHING_KNOWN
    question = Question(first.strip(), material.strip(), tuple(analyse(document) for document in documents))
    answer = next((answers(question) for asks, answers in TASKS if asks(question)), None)
    return answer or answer_prose(question)
