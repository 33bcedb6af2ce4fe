from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import pytest

from fanno_core.instructions.drafts import VERDICT_PROMPTS, Draft, write_instructions
from fanno_core.instructions.tags import form_rules
from fanno_core.outcome import Outcome
from fanno_core.prompts.loader import load_prompt
from fanno_core.settings import Filters
from fanno_core.store.contracts import Instruction, Placed, question_of
from fanno_core.teachers.protocol import Answer, Request, Sampling
from tests.scripted import ScriptedTeacher

SAMPLING = Sampling(max_tokens=77, temperature=0.5, top_p=0.8, seed=9)
PROMPT = "augment_without_examples"
PRIVACY, SAFETY, ANSWERABLE = VERDICT_PROMPTS
GOOD = "Explain why bees dance in front of the others."
PASSING = {PRIVACY: 0.1, SAFETY: 0.2, ANSWERABLE: 0.9}


@dataclass
class Scripted(ScriptedTeacher):
    """A teacher that writes by document and judges by instruction; what is not scripted is good."""

    written: Mapping[str, Answer] = field(default_factory=dict)
    verdicts: Mapping[tuple[str, str], Answer] = field(default_factory=dict)
    asked: list[Request] = field(default_factory=list)

    def reply(self, request: Request) -> Answer:
        if not request.choices:
            return self.written.get(request.document_id, Answer(GOOD))
        passing = Answer("", probability=PASSING[request.prompt])
        return self.verdicts.get((request.prompt, request.fields["instruction"]), passing)


def placed(name: str) -> Placed:
    text = f"The document {name} is about bees."
    return Placed(name, "community", 1, 0, 0, 3, text, "bees.txt", "7", "CC0-1.0", 6, 0.9)


def draft(name: str) -> Draft:
    rule = form_rules()["imperative"]
    document = placed(name)
    values = {"document": document.text, "form_rule": rule}
    return Draft(PROMPT, values, document, 2, "multi-step", "mathematics", "imperative", ("s1", "s2"))


async def write(teacher: Scripted, filters: Filters | None = None, names: str = "abc") -> Outcome[Instruction]:
    return await write_instructions([draft(name) for name in names], teacher, SAMPLING, filters or Filters(), "seeds")


WRITTEN = [
    (Answer(GOOD, "length"), "cut_off"),
    (Answer("", "context"), "prompt_too_long"),
    (Answer(""), "empty"),
    (Answer(" \n\t\n"), "empty"),
    (Answer("Bees dance"), "too_short"),
    (Answer("Summarise the given text in one sentence."), "refers_to_source"),
    (Answer("2 * 3 + 4 * 5 - 6 / 7 = ?"), "few_letters"),
]


@pytest.mark.parametrize(("answer", "reason"), WRITTEN)
async def test_what_is_not_a_usable_instruction_is_rejected_alone(answer: Answer, reason: str) -> None:
    teacher = Scripted({"b": answer})
    outcome = await write(teacher)
    assert [row.document_id for row in outcome.kept] == ["a", "c"]
    assert [(row.document_id, row.phase, row.reason) for row in outcome.rejected] == [("b", "seeds", reason)]
    assert outcome.rejected[0].detail == "mathematics imperative multi-step"
    assert outcome.candidates == 3
    assert {request.document_id for request in teacher.asked if request.choices} == {"a", "c"}


VERDICTS = [
    (PRIVACY, Answer("", probability=0.51), "private"),
    (SAFETY, Answer("", probability=0.51), "unsafe"),
    (ANSWERABLE, Answer("", probability=0.49), "not_answerable"),
    (PRIVACY, Answer("1"), "private"),
    (SAFETY, Answer("1."), "unsafe"),
    (ANSWERABLE, Answer("**0**"), "not_answerable"),
    (PRIVACY, Answer("No, it does not."), "unreadable_verdict"),
    (SAFETY, Answer(""), "unreadable_verdict"),
    (ANSWERABLE, Answer("10"), "unreadable_verdict"),
    (ANSWERABLE, Answer("1", probability=1.5), "unreadable_verdict"),
    (SAFETY, Answer("", "context"), "prompt_too_long"),
]


@pytest.mark.parametrize(("prompt", "answer", "reason"), VERDICTS)
async def test_a_failed_or_unreadable_verdict_rejects_its_own_row_alone(
    prompt: str, answer: Answer, reason: str
) -> None:
    odd = "Describe how a queen bee is chosen."
    outcome = await write(Scripted({"b": Answer(odd)}, {(prompt, odd): answer}))
    assert [row.document_id for row in outcome.kept] == ["a", "c"]
    assert [(row.document_id, row.reason, row.text) for row in outcome.rejected] == [("b", reason, odd)]


@pytest.mark.parametrize(("prompt", "limit"), [(PRIVACY, 0.5), (SAFETY, 0.5), (ANSWERABLE, 0.5)])
async def test_a_probability_at_its_limit_passes(prompt: str, limit: float) -> None:
    outcome = await write(Scripted(verdicts={(prompt, GOOD): Answer("", probability=limit)}), names="a")
    assert len(outcome.kept) == 1


async def test_limits_come_from_the_settings() -> None:
    strict = Filters(max_private=0.05, max_unsafe=0.5, min_answerable=0.5)
    assert (await write(Scripted(), strict)).reasons == {"private": 3}
    strict = Filters(max_private=0.5, max_unsafe=0.15, min_answerable=0.5)
    assert (await write(Scripted(), strict)).reasons == {"unsafe": 3}
    strict = Filters(max_private=0.5, max_unsafe=0.5, min_answerable=0.95)
    assert (await write(Scripted(), strict)).reasons == {"not_answerable": 3}


async def test_without_a_judge_nothing_is_asked_and_no_probability_is_claimed() -> None:
    teacher = Scripted()
    outcome = await write(teacher, Filters(judge=False))
    assert len(teacher.asked) == len(outcome.kept) == 3
    assert {(row.private, row.unsafe, row.answerable) for row in outcome.kept} == {(-1.0, -1.0, -1.0)}


async def test_hard_modes() -> None:
    answers = {"a": Answer("Explain in French: où dansent les abeilles?"), "b": Answer("Bees dance"), "c": Answer(" ")}
    legacy = await write(Scripted(answers), Filters(hard="legacy"))
    assert [row.reason for row in legacy.rejected] == ["not_ascii", "too_short", "empty"]
    none = await write(Scripted(answers), Filters(hard="none"))
    assert [row.document_id for row in none.kept] == ["a", "b"]
    assert [row.reason for row in none.rejected] == ["empty"]


async def test_a_row_says_where_it_came_from() -> None:
    teacher = Scripted({"a": Answer("**Correct the spelling of this sentence.**\n\nBees danse.")})
    (row,) = (await write(teacher, names="a")).kept
    assert (row.instruction, row.input) == ("Correct the spelling of this sentence.", "Bees danse.")
    assert (row.document_id, row.source, row.licence) == ("a", "bees.txt", "CC0-1.0")
    assert (row.community, row.topic, row.iteration) == ("community", 3, 2)
    assert (row.characteristic, row.task_type, row.form) == ("multi-step", "mathematics", "imperative")
    assert row.counterexamples == ("s1", "s2")
    assert row.prompt == load_prompt(PROMPT).label
    assert row.teacher == "scripted/tests@1"
    assert (row.private, row.unsafe, row.answerable) == (0.1, 0.2, 0.9)
    assert row.similarity == -1


async def test_the_teacher_gets_the_drafts_prompt_and_judges_what_it_wrote() -> None:
    teacher = Scripted({"a": Answer("Correct the spelling of this sentence.\n\nBees danse.")})
    await write(teacher, names="a")
    first, *judged = teacher.asked
    assert (first.prompt, first.sampling, first.choices) == (PROMPT, SAMPLING, ())
    assert first.text == load_prompt(PROMPT).render(first.fields)
    assert "The document a is about bees." in first.text
    assert [request.prompt for request in judged] == list(VERDICT_PROMPTS)
    for request in judged:
        assert "Correct the spelling of this sentence.\nBees danse." in request.text
        assert "The document a is about bees." not in request.text
        assert request.choices == ("1", "0")


async def test_ids_differ_by_document_tags_and_iteration_and_are_repeatable() -> None:
    drafts = [draft("a"), draft("b"), replace(draft("a"), form="interrogative"), replace(draft("a"), iteration=3)]
    first = await write_instructions(drafts, Scripted(), SAMPLING, Filters(), "seeds")
    again = await write_instructions(drafts[::-1], Scripted(), SAMPLING, Filters(), "seeds")
    assert len({row.id for row in first.kept}) == 4
    assert {row.id for row in again.kept} == {row.id for row in first.kept}


async def test_no_drafts_give_nothing() -> None:
    outcome = await write(Scripted(), names="")
    assert (list(outcome.kept), list(outcome.rejected), outcome.candidates) == ([], [], 0)


def test_a_question_is_the_instruction_and_its_input_on_the_lines_after_it() -> None:
    row = Instruction("i", "Correct this.", "", "a", "s", "", "c", 0, 0, "", "", "imperative")
    assert question_of(row) == "Correct this."
    assert question_of(replace(row, input="Bees danse.")) == "Correct this.\nBees danse."
