"""The teacher's three verdicts on documents: quality, advertisement, privacy."""

from __future__ import annotations

from collections.abc import Sequence

from fanno_core.outcome import Outcome
from fanno_core.settings import Screen
from fanno_core.store.contracts import Document
from fanno_core.teachers.protocol import Teacher
from fanno_core.teachers.verdict import Question, judge

PHASE = "verdicts"
PROMPTS = ("document_quality", "document_advertisement", "document_privacy")


async def judge_documents(documents: Sequence[Document], teacher: Teacher, settings: Screen) -> Outcome[Document]:
    """Documents that the teacher finds good, no advert and not private; each is judged on its own.

    Rejected are `low_quality`, `advertisement`, `private`, `unreadable_verdict` and `prompt_too_long`.

    Raises:
        TryAgain, RunStops: from the teacher.

    Source: FANNO's published pre-screen asks for quality, then for advertisement; the privacy filter is the paper's.
    """
    quality, advertisement, privacy = PROMPTS
    questions = (
        Question(quality, "quality", "low_quality", lambda p: p >= settings.min_quality),
        Question(advertisement, "advertisement", "advertisement", lambda p: p <= settings.max_advertisement),
        Question(privacy, "privacy", "private", lambda p: p <= settings.max_privacy),
    )
    kept, dropped = await judge(documents, questions, lambda d: {"document": d.text}, teacher, PHASE)
    return Outcome(kept, dropped, len(documents))
