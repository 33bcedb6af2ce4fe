from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fanno_core.methods.alpaca import ALPACA, AlpacaOptions, list_request, listed_blocks, published_blocks
from fanno_core.methods.contract import Lot
from fanno_core.methods.task_lists import Shown
from fanno_core.outcome import Outcome
from fanno_core.store.contracts import Example
from fanno_core.teachers.extractive import ExtractiveTeacher
from fanno_core.teachers.protocol import Answer, Request
from tests.methods.generating import Replying, seeds, written
from tests.shared_data import shared_rows

LIST = (
    "###\n4. Instruction: Recommend a quiet hobby for evenings.\n4. Input:\n<noinput>\n"
    "4. Output:\nKnitting, in 2020. #1\n"
    "###\n5. Instruction: Shorten the sentence.\n5. Input:\nIt is raining very hard.\n5. Output:\nIt pours.\n"
    "###\n7. Instruction: Invent a name for a bakery.\n7. Input:\nNone\n7. Output:\n### Crumbs ###\n###"
)


async def test_one_call_gives_many_rows() -> None:
    teacher = Replying(lambda _: LIST)
    found = await written(ALPACA, teacher, Lot(3, (), 1, seeds()))
    assert [(row.input, row.output) for row in found.kept] == [
        ("", "Knitting, in 2020. #1"),
        ("", "### Crumbs ###"),
    ]
    assert found.reasons == {"too_short": 1}
    assert len(teacher.asked) == 1 == ALPACA.calls(AlpacaOptions())
    row = found.kept[0]
    assert (row.method, row.iteration, len(row.made_from)) == ("alpaca", 3, 3)
    assert row.instruction_prompt == row.response_prompt
    assert "temperature=1 top_p=1 max_tokens=3072" in row.instruction_sampling


def test_a_prompt_shows_rows_in_the_form_that_it_asks_for() -> None:
    row = seeds("Shorten\nthe sentence:")[0]
    request = list_request(Shown("alpaca", 1, 0, (row,), 5), AlpacaOptions())
    assert request.fields["examples"] == (
        "###\n1. Instruction: Shorten the sentence\n1. Input:\n<noinput>\n1. Output:\nSomebody's answer."
    )
    assert (request.fields["first"], request.fields["last"], request.sampling.seed) == ("2", "18", 5)


async def test_rows_of_its_own_are_not_shown_but_compared() -> None:
    first = await written(ALPACA, Replying(lambda _: LIST), Lot(1, (), 1, seeds()))
    teacher = Replying(lambda _: LIST)
    second = await written(ALPACA, teacher, Lot(2, (), 20, [*seeds(), *first.kept]))
    assert second.kept == []
    assert second.reasons == {"not_novel": 40, "too_short": 20}
    assert not any("bakery" in request.fields["examples"] for request in teacher.asked)


async def test_the_order_of_answers_changes_nothing() -> None:
    def reply(request: Request) -> str:
        return LIST.replace("bakery", f"bakery of type {request.row_id}")

    def lot(shuffle: int | None) -> Outcome[Example]:
        return asyncio.run(written(ALPACA, Replying(reply, shuffle), Lot(1, (), 6, seeds())))

    outcomes = [await asyncio.to_thread(lot, shuffle) for shuffle in (None, 1, 2)]
    assert outcomes[0].kept == outcomes[1].kept == outcomes[2].kept
    assert outcomes[0].rejected == outcomes[1].rejected == outcomes[2].rejected


@pytest.mark.parametrize("published", [False, True])
async def test_the_teacher_without_weights_writes_lists(published: bool) -> None:
    found = await written(ALPACA, ExtractiveTeacher(), Lot(1, (), 5, seeds()), published=published)
    assert len(found.kept) > 5
    assert found.candidates == 5 * 17
    # The published stop leaves an empty block behind.
    assert set(found.reasons) <= {"not_novel", "unsuited_word"} | ({"misnumbered"} if published else set())
    assert {bool(row.input) for row in found.kept} == {True, False}


def test_lists_are_read_as_in_the_original() -> None:
    rows = shared_rows("golden/alpaca_post_process.jsonl")
    for row in rows:
        tasks = published_blocks(row["text"], row["finish_reason"], row["num_prompt_instructions"])
        found = [(task.instruction, task.input, task.output) for task in tasks if not task.reason]
        assert found == [(one["instruction"], one["input"], one["output"]) for one in row["expected"]]
    assert len(rows) == 50


@pytest.mark.parametrize(
    ("text", "finish", "expected"),
    [
        (LIST, "stop", ["", "too_short", ""]),
        (LIST, "length", ["", "too_short", "cut_off"]),
        (f"Sure!\n\n{LIST}", "stop", ["", "too_short", ""]),
        (LIST.replace("4. Input", "5. Input"), "stop", ["misnumbered", "too_short", ""]),
        (LIST.replace("4. Input:\n<noinput>\n", ""), "stop", ["misnumbered", "too_short", ""]),
        (
            LIST.replace("4. Input", "4. Result").replace("4. Output", "4. Input"),
            "stop",
            ["misnumbered", "too_short", ""],
        ),
        (LIST.replace("4. Instruction:", "**4. Instruction:**"), "stop", ["", "too_short", ""]),
        ("4. A hobby\n5. A bakery", "stop", ["no_tasks"]),
        ("", "stop", ["no_tasks"]),
        ("4. Instr", "length", ["cut_off"]),
    ],
)
def test_a_block_counts_by_its_labels(text: str, finish: str, expected: list[str]) -> None:
    assert [task.reason for task in listed_blocks(text, finish, 17)] == expected


def test_one_wrong_number_costs_one_block_and_in_the_original_all_after_it() -> None:
    text = LIST.removeprefix("###\n4. Instruction:").replace("### Crumbs ###\n###", "Crumbs")
    assert [task.reason for task in published_blocks(text, "stop", 3)] == ["", "too_short", "misnumbered"]
    assert [task.reason for task in listed_blocks(f"4. Instruction:{text}", "stop", 17)] == ["", "too_short", ""]


async def test_answers_that_are_none_are_counted() -> None:
    answers: list[str | Answer] = [
        LIST,
        "I'd rather not.",
        Answer("", "refused"),
        LIST.replace("Knitting, in 2020. #1", "").replace("quiet", "loud"),
    ]
    found = await written(
        ALPACA, Replying(lambda request: answers[int(request.row_id.rpartition("-")[2])]), Lot(1, (), 4, seeds())
    )
    assert found.reasons == {"empty": 1, "no_tasks": 1, "not_novel": 1, "request_refused": 1, "too_short": 2}


def test_more_tasks_than_asked_for_are_surplus() -> None:
    assert [task.reason for task in listed_blocks(LIST, "stop", 1)] == ["", "surplus", "surplus"]


PIECES = st.sampled_from(
    ["###", "4. Instruction:", "4. Input:", "4. Output:", "5. Output:", "\n", "a b c d ", "20.", "**"]
)


@given(st.lists(PIECES, max_size=24).map("".join), st.sampled_from(["stop", "length"]))
def test_every_answer_gives_a_candidate(text: str, finish: str) -> None:
    for tasks in (listed_blocks(text, finish, 17), published_blocks(text, finish, 3)):
        assert tasks
        assert all(task.reason or len(task.instruction.split()) >= 4 for task in tasks)
        assert finish == "stop" or tasks[-1].reason
