"""From prompts to instructions: what seeds and augmentation have in common.

A draft is a prompt that is to become one instruction. Its answer is cleaned, held against the keyword rule and
judged by the teacher; whatever falls on the way is rejected with its reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fanno_core.instructions.cleaning import clean_instruction
from fanno_core.instructions.hard_filter import hard_reason
from fanno_core.outcome import Outcome
from fanno_core.prompts.loader import load_prompt
from fanno_core.settings import Filters
from fanno_core.store.contracts import Instruction, Placed, Rejection, question_of, rejected
from fanno_core.teachers.protocol import Answer, Request, Sampling, Teacher, ask, finish_fault
from fanno_core.teachers.rendered import rendered_request
from fanno_core.teachers.verdict import Question, judge
from fanno_core.text import stable_id

VERDICT_PROMPTS = ("instruction_privacy", "instruction_safety", "instruction_answerable")


@dataclass(frozen=True, slots=True)
class Draft:
    """A prompt for one instruction, and all that its row will say about where it came from."""

    prompt: str
    values: dict[str, str]
    document: Placed
    iteration: int
    characteristic: str = ""
    task_type: str = ""
    form: str = ""
    counterexamples: tuple[str, ...] = ()

    def request(self, sampling: Sampling) -> Request:
        """What the teacher is sent."""
        return rendered_request(self.document.id, self.prompt, self.values, sampling, self.document.id)


async def write_instructions(
    drafts: Sequence[Draft], teacher: Teacher, sampling: Sampling, filters: Filters, phase: str
) -> Outcome[Instruction]:
    """The instructions that the teacher writes for the drafts and that pass every filter.

    Rejected are `cut_off`, `prompt_too_long`, the reasons of the hard filter, `private`, `unsafe`,
    `not_answerable` and `unreadable_verdict`.

    Raises:
        TryAgain, RunStops: from the teacher.
    """
    answers = await ask(teacher, [draft.request(sampling) for draft in drafts])
    written: list[Instruction] = []
    dropped: list[Rejection] = []
    for draft, answer in zip(drafts, answers, strict=True):
        row = instruction_of(draft, answer, str(teacher.identity), sampling, filters)
        reason = _reason(row, answer, filters)
        if reason:
            dropped.append(rejected(row, phase, reason, _tags(row)))
        else:
            written.append(row)
    if filters.judge:
        written, failed = await judge(written, _questions(filters), _judged_text, teacher, phase)
        dropped += failed
    return Outcome(written, dropped, len(drafts))


def instruction_of(draft: Draft, answer: Answer, teacher: str, sampling: Sampling, filters: Filters) -> Instruction:
    """The row of an answer, whether or not a filter lets it pass; its id depends on draft and answer alone."""
    instruction, given = clean_instruction(answer.text, "published" if filters.hard == "legacy" else "default")
    document = draft.document
    tags = (draft.characteristic, draft.task_type, draft.form, str(draft.iteration))
    return Instruction(
        id=stable_id(document.id, *tags, instruction, given),
        instruction=instruction,
        input=given,
        document_id=document.id,
        source=document.source,
        licence=document.licence,
        community=document.community,
        topic=document.topic,
        iteration=draft.iteration,
        characteristic=draft.characteristic,
        task_type=draft.task_type,
        form=draft.form,
        counterexamples=draft.counterexamples,
        prompt=load_prompt(draft.prompt).label,
        teacher=teacher,
        sampling=str(sampling),
        cut_tokens=answer.cut_tokens,
        carried_id=document.carried_id,
    )


def _reason(row: Instruction, answer: Answer, filters: Filters) -> str | None:
    if reason := finish_fault(answer):
        return reason
    if filters.hard == "none":
        return None if row.instruction else "empty"
    return hard_reason(row.instruction, filters.hard, row.input)


def _questions(filters: Filters) -> tuple[Question, ...]:
    privacy, safety, answerable = VERDICT_PROMPTS
    return (
        Question(privacy, "private", "private", lambda p: p <= filters.max_private),
        Question(safety, "unsafe", "unsafe", lambda p: p <= filters.max_unsafe),
        Question(answerable, "answerable", "not_answerable", lambda p: p >= filters.min_answerable),
    )


def _judged_text(row: Instruction) -> dict[str, str]:
    return {"instruction": question_of(row)}


def _tags(row: Instruction) -> str:
    return " ".join(tag for tag in (row.task_type, row.form, row.characteristic) if tag)
