from __future__ import annotations

import pytest

from fanno_core.methods.re_answer import NAME, RE_ANSWER, ReAnswerOptions
from fanno_core.methods.rewriting import DIRECT
from fanno_core.outcome import Outcome
from fanno_core.store.contracts import Example
from fanno_core.teachers.protocol import Answer, Request
from tests.methods.generating import Reply, Replying, tools_with
from tests.methods.transforming import dolly, row_of, tools

ROWS = [row_of(f"r{n}", f"Name river number {n}.", "In Peru." if n % 2 else "", f"Old answer {n}.") for n in range(8)]


async def changed(reply: Reply, shuffle: int | None = None) -> Outcome[Example]:
    return await RE_ANSWER.change(ROWS, tools_with(Replying(reply, shuffle)), ReAnswerOptions())


def reply(request: Request) -> str:
    return f"It is the one of {request.row_id}."


async def test_the_response_is_new_and_all_else_stays_in_its_order() -> None:
    found = await changed(reply)
    assert [(row.instruction, row.input) for row in found.kept] == [(row.instruction, row.input) for row in ROWS]
    assert [row.output for row in found.kept] == [f"It is the one of r{n}." for n in range(8)]
    assert [row.made_from for row in found.kept] == [(row.id,) for row in ROWS]
    assert not {row.id for row in found.kept} & {row.id for row in ROWS}
    assert {(row.method, row.response_prompt.partition("@")[0]) for row in found.kept} == {(NAME, DIRECT)}
    assert all(row.output_tokens == 6 for row in found.kept)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Answer(""), "empty"),
        (Answer("   \n"), "empty"),
        (Answer("The Amaz", "length"), "cut_off"),
        (Answer("", "context"), "prompt_too_long"),
        (Answer("", "refused"), "request_refused"),
        (Answer("I'm sorry, but I cannot answer that."), "refusal"),
        (Answer("### Instruction:\nName a river."), "leaks_prompt"),
    ],
)
async def test_a_row_without_an_answer_is_reported_with_the_reason(answer: Answer, reason: str) -> None:
    found = await changed(lambda request: answer if request.row_id == "r3" else reply(request))
    assert len(found.kept) == 7
    (rejection,) = found.rejected
    assert (rejection.reason, rejection.detail, rejection.phase) == (reason, "row r3", NAME)
    assert "Name river number 3." in rejection.text


async def test_the_same_teacher_gives_the_same_rows_whatever_the_order_of_its_answers() -> None:
    outcomes = [await changed(reply, shuffle) for shuffle in (None, None, 1, 2)]
    assert all(outcome == outcomes[0] for outcome in outcomes)


async def test_it_ends_on_the_teacher_without_weights() -> None:
    rows = dolly(60)
    found = await RE_ANSWER.change(rows, tools(), ReAnswerOptions())
    assert len(found.kept) > 30
    assert {row.made_from[0] for row in found.kept} < {row.id for row in rows}
    assert set(found.reasons) <= {"refusal", "empty", "repetition", "copies_input", "copies_instruction"}
