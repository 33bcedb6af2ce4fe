from __future__ import annotations

from collections import Counter

import pytest

from fanno_core.methods.reflect import REFLECT, ReflectOptions
from fanno_core.methods.reflections import INSTRUCTION, MERGE, RESPONSE
from fanno_core.outcome import Outcome
from fanno_core.store.contracts import Example
from fanno_core.teachers.protocol import Request
from tests.methods.generating import Reply, Replying, tools_with
from tests.methods.transforming import dolly, row_of, tools

ROWS = [row_of(f"r{n}", f"Name river {n}.", "In Peru." if n % 2 else "", f"Old answer {n}.") for n in range(6)]


def reply(request: Request) -> str:
    asked = request.fields["instruction"]
    if request.prompt == MERGE:
        return f"[New Instruction] {asked[:-1]} in Peru. [End]"
    if request.prompt == INSTRUCTION:
        return f"[New Instruction] {asked} And why? [End]\n[New Answer] New: {request.fields['output']} [End]"
    return f"[Better Answer] Better: {request.fields['output']} [End]"


def failing(prompt: str, name: str = "") -> Reply:
    """Fails at one prompt, for one row or for all."""

    def answer(request: Request) -> str:
        return "no marks" if request.prompt == prompt and name in request.row_id else reply(request)

    return answer


async def changed(answers: Reply, shuffle: int | None = None, **options: object) -> tuple[Outcome[Example], Replying]:
    teacher = Replying(answers, shuffle)
    how = ReflectOptions.model_validate(options)
    return await REFLECT.change(ROWS, tools_with(teacher), how), teacher


async def test_instructions_and_then_responses_are_rewritten() -> None:
    found, teacher = await changed(reply)
    assert [row.instruction for row in found.kept[:2]] == ["Name river 0. And why?", "Name river 1 in Peru. And why?"]
    assert [row.output for row in found.kept[:2]] == ["Better: New: Old answer 0.", "Better: New: Old answer 1."]
    assert {row.input for row in found.kept} == {""}
    assert [row.made_from for row in found.kept] == [(row.id,) for row in ROWS]
    assert Counter(request.prompt for request in teacher.asked) == {MERGE: 3, INSTRUCTION: 6, RESPONSE: 6}


@pytest.mark.parametrize(
    ("passes", "kind", "instruction", "output"),
    [
        ("instruction", "Q*", "Name river 0. And why?", "New: Old answer 0."),
        ("response", "A*", "Name river 0.", "Better: Old answer 0."),
    ],
)
async def test_one_pass_may_stand_alone(passes: str, kind: str, instruction: str, output: str) -> None:
    found, teacher = await changed(reply, passes=passes)
    row = found.kept[0]
    assert (row.task_type, row.instruction, row.output) == (kind, instruction, output)
    assert len(teacher.asked) == 9


async def test_a_pass_that_fails_leaves_what_the_other_one_gives() -> None:
    question, _ = await changed(failing(RESPONSE))
    answer, _ = await changed(failing(INSTRUCTION))
    assert {row.task_type for row in question.kept} == {"Q*"}
    assert {row.task_type for row in answer.kept} == {"A*"}
    assert [row.output for row in answer.kept[:2]] == ["Better: Old answer 0.", "Better: Old answer 1."]


async def test_a_row_for_which_every_pass_fails_stays_what_it_was() -> None:
    found, teacher = await changed(lambda _: "no marks")
    assert found.kept == ROWS
    assert len(teacher.asked) == 2 * (3 + 6 + 6)
    assert len(teacher.asked) <= len(ROWS) * REFLECT.calls(ReflectOptions())


async def test_or_it_is_rejected_with_the_reason() -> None:
    def one(request: Request) -> str:
        return "no marks" if request.row_id.startswith("r3:") else reply(request)

    found, _ = await changed(one, unchanged="drop")
    assert len(found.kept) == 5
    assert [(each.id, each.reason) for each in found.rejected] == [("r3", "unreadable_reflection")]


async def test_the_order_of_answers_changes_nothing() -> None:
    outcomes = [(await changed(failing(INSTRUCTION, "r2"), shuffle))[0] for shuffle in (None, 1, 2)]
    assert outcomes[0] == outcomes[1] == outcomes[2]


async def test_long_answers_are_not_cut() -> None:
    long = " ".join(f"word{n}" for n in range(1500))
    found, _ = await changed(lambda request: reply(request).replace(" [End]", f" {long} [End]"))
    assert all(row.output.endswith("word1499") for row in found.kept)


async def test_it_ends_on_the_teacher_without_weights() -> None:
    rows = dolly(60)
    found = await REFLECT.change(rows, tools(), ReflectOptions(unchanged="drop"))
    assert len([row for row in found.kept if row.method == "reflect"]) > 50
