from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from fanno_core.methods.evol_instruct import (
    BREADTH,
    COMPLICATE,
    EQUAL,
    EVOL_INSTRUCT,
    OPERATIONS,
    Attempt,
    EvolInstructOptions,
    begun,
    rewritten,
)
from fanno_core.outcome import Outcome
from fanno_core.prompts.loader import load_prompt
from fanno_core.store.contracts import Example
from fanno_core.teachers.protocol import Answer, Request, Sampling
from tests.methods.generating import Reply, Replying, tools_with
from tests.methods.transforming import dolly, row_of, tools

ROWS = [
    row_of(f"r{n}", f"Name {n + 2} rivers of Europe.", "Only long ones." if n % 3 == 0 else "", "The Danube.")
    for n in range(12)
]


def reply(request: Request) -> str:
    """Adds what names the operation; finds nothing equal; answers."""
    if request.prompt == EQUAL:
        return "0"
    if request.prompt in OPERATIONS:
        more = "\nname,length\nDanube,2850" if request.prompt == COMPLICATE else ""
        return f"{request.fields['instruction']} Think of {request.row_id}.{more}"
    return f"The answer is Danube: {request.row_id}."


async def changed(
    answers: Reply, shuffle: int | None = None, seed: int = 7, **options: object
) -> tuple[Outcome[Example], Replying]:
    teacher = Replying(answers, shuffle)
    return await EVOL_INSTRUCT.change(
        ROWS, tools_with(teacher, seed), EvolInstructOptions.model_validate(options)
    ), teacher


async def test_an_epoch_gives_the_rows_and_an_evolved_one_of_each() -> None:
    found, teacher = await changed(reply)
    assert found.kept[:12] == ROWS
    assert [row.made_from for row in found.kept[12:]] == [(row.id,) for row in ROWS]
    assert all(row.instruction.startswith(old.instruction) for row, old in zip(found.kept[12:], ROWS, strict=True))
    assert {row.iteration for row in found.kept[12:]} == {1}
    assert all(row.output == f"The answer is Danube: {row.made_from[0]}:1." for row in found.kept[12:])
    assert len(teacher.asked) == 12 * EVOL_INSTRUCT.calls(EvolInstructOptions())
    for row in found.kept[12:]:
        assert row.instruction_prompt == load_prompt(f"evol_{row.task_type}").label


async def test_inputs_stay_beside_their_instructions_but_for_a_task_of_its_own() -> None:
    found, _ = await changed(reply, epochs=6)
    by_id = {row.id: row for row in found.kept}
    for row in found.kept[12:]:
        parent = by_id[row.made_from[0]]
        assert row.input == ("" if row.task_type == "breadth" else parent.input)


@pytest.mark.parametrize("operations", [5, 6])
async def test_every_operation_is_drawn_about_equally_often(operations: int) -> None:
    options = EvolInstructOptions.model_validate({"operations": operations})
    rows = [replace(ROWS[0], id=f"row {n}") for n in range(1200)]
    drawn = Counter(begun(row, 1, 7, options).prompt for row in rows)
    assert set(drawn) == set(OPERATIONS[:operations])
    assert max(drawn.values()) < 1.3 * 1200 / operations
    again = [begun(row, 1, 7, options).prompt for row in reversed(rows)][::-1]
    assert again == [begun(row, 1, 7, options).prompt for row in rows]
    assert again != [begun(row, 2, 7, options).prompt for row in rows]


async def test_each_epoch_goes_on_from_the_one_before() -> None:
    found, _ = await changed(reply, epochs=3)
    assert len(found.kept) == 48
    by_id = {row.id: row for row in found.kept}
    for row in found.kept[24:]:
        assert by_id[row.made_from[0]].iteration == row.iteration - 1
    assert len(by_id) == 48


async def test_the_last_form_of_each_row_may_stay_alone() -> None:
    every, _ = await changed(reply, epochs=3)
    found, _ = await changed(reply, epochs=3, merge="last")
    assert found.kept == every.kept[36:]
    assert found.reasons == {"superseded": 36}


async def test_what_fails_goes_back_as_it_was_into_the_next_epoch() -> None:
    def failing(request: Request) -> str:
        first = request.row_id == "r4:1"
        return "" if first and request.prompt in OPERATIONS else reply(request)

    found, teacher = await changed(failing, epochs=2)
    assert found.reasons == {"empty": 1}
    assert found.candidates == 12 + 24
    (row,) = [row for row in found.kept if row.made_from == ("r4",)]
    assert row.iteration == 2
    assert Counter(request.row_id for request in teacher.asked)["r4:1"] == 1


async def test_the_cheap_rules_come_before_the_question_and_the_question_before_the_answer() -> None:
    def picky(request: Request) -> str:
        if request.prompt == EQUAL:
            return "1" if request.row_id == "r1:1" else "0"
        return request.fields["instruction"] if request.row_id == "r0:1" else reply(request)

    found, teacher = await changed(picky)
    asked = Counter(request.row_id for request in teacher.asked)
    assert (asked["r0:1"], asked["r1:1"], asked["r2:1"]) == (1, 2, 3)
    assert found.reasons == {"equal": 1, "unchanged": 1}


@pytest.mark.parametrize(
    ("stage", "answer", "reason"),
    [
        ("evolve", Answer("Name rivers that", "length"), "cut_off"),
        ("evolve", Answer("", "context"), "prompt_too_long"),
        ("evolve", Answer("#Rewritten Prompt#: Name three rivers of Asia."), "leaks_prompt"),
        ("equal", Answer("Perhaps."), "unreadable_verdict"),
        ("answer", Answer(""), "empty"),
        ("answer", Answer("I am so sorry about that."), "sorry"),
        ("answer", Answer("It is, and it was."), "stop_words"),
        ("answer", Answer("A river that", "length"), "cut_off"),
        ("answer", Answer("", "refused"), "request_refused"),
    ],
)
async def test_whatever_goes_wrong_is_rejected_with_its_reason(stage: str, answer: Answer, reason: str) -> None:
    def wrong(request: Request) -> str | Answer:
        here = "equal" if request.prompt == EQUAL else "evolve" if request.prompt in OPERATIONS else "answer"
        return answer if here == stage else reply(request)

    found, _ = await changed(wrong)
    assert found.kept == ROWS
    assert found.reasons == {reason: 12}
    assert len({rejection.id for rejection in found.rejected}) == 12


def read(prompt: str, text: str, given: str = "a,b\n1,2") -> Attempt:
    row = row_of("r", "Add up the columns.", given, "3")
    return rewritten(Attempt(row, 1, prompt, Sampling(9)), Answer(text), EvolInstructOptions())


def test_an_input_that_the_teacher_repeats_is_not_doubled() -> None:
    found = read("evol_deepen", "Add up the columns and explain why.\n\na,b\n1,2")
    assert (found.instruction, found.input, found.reason) == ("Add up the columns and explain why.", "a,b\n1,2", "")


@pytest.mark.parametrize(
    ("text", "given"),
    [("Add up the columns below 127", "7"), ("Add up the columns that are odd.", "columns that are odd.")],
)
def test_the_end_of_an_instruction_is_not_taken_for_the_input(text: str, given: str) -> None:
    assert read("evol_deepen", text, given).instruction == text


def test_an_input_alone_is_no_instruction() -> None:
    given = "year,month,day of the sale\n2001,5,1"
    assert read("evol_deepen", given, given).reason == "empty"


def test_complicated_input_stands_on_the_lines_after_the_instruction() -> None:
    found = read(COMPLICATE, "Add up the columns that are odd.\na,b,c\n1,2,3")
    assert (found.instruction, found.input) == ("Add up the columns that are odd.", "a,b,c\n1,2,3")
    assert read(COMPLICATE, "Add up the columns that are odd.").reason == "no_input"


def test_a_task_of_its_own_has_no_input() -> None:
    assert read(BREADTH, "Invent a riddle about a spreadsheet.").input == ""


async def test_the_order_of_answers_and_of_rows_changes_nothing() -> None:
    outcomes = [(await changed(reply, shuffle, epochs=2))[0] for shuffle in (None, 1, 2)]
    assert outcomes[0] == outcomes[1] == outcomes[2]
    other = await EVOL_INSTRUCT.change(
        ROWS[::-1], tools_with(Replying(reply)), EvolInstructOptions.model_validate({"epochs": 2})
    )
    assert {row.id: row for row in other.kept} == {row.id: row for row in outcomes[0].kept}


async def test_a_row_of_an_epoch_alone_is_asked_what_it_was_asked_among_all() -> None:
    every, teacher = await changed(reply, epochs=3)
    row = next(row for row in every.kept if row.iteration == 1)
    alone = Replying(reply)
    await EVOL_INSTRUCT.change([row], tools_with(alone), EvolInstructOptions(epochs=3))
    assert alone.asked
    assert {request.text for request in alone.asked} <= {request.text for request in teacher.asked}


async def test_it_ends_on_the_teacher_without_weights_with_every_operation() -> None:
    options = EvolInstructOptions.model_validate({"epochs": 2, "operations": 6})
    rows = dolly(80)
    found = await EVOL_INSTRUCT.change(rows, tools(7), options)
    evolved = found.kept[len(rows) :]
    assert len(evolved) > 60
    assert {f"evol_{row.task_type}" for row in evolved} == set(OPERATIONS)
    assert set(found.reasons) <= {"equal", "refusal", "too_long", "repetition", "copies_instruction", "copies_input"}
