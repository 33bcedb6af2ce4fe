from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fanno_core.prompts.loader import load_prompt
from fanno_core.store.contracts import Document, Instruction
from fanno_core.teachers.protocol import Answer, Request, Sampling
from fanno_core.teachers.verdict import UNREADABLE, Question, judge, read_verdict
from tests.scripted import ScriptedTeacher

LONG = 10_000

YES = [
    *("1", " 1", "1 ", "\n1\n", "\t1", "\u00a01", "\u30001", "1.", "1...", "1 .", " 1. \n"),
    *("**1**", "*1*", "__1__", "_1_", "`1`", "``1``", '"1"', "'1'", "(1)", "[1]", "1)", "(1", "**1.**", "**1**."),
    *("```\n1\n```", " " * LONG + "1", "1" + " " * LONG, "\n" * LONG + "1" + "\n" * LONG),
]
NO = ["0", " 0", "0\n", "0.", "**0**", "`0`", '"0"', "(0)", "[0].", "_0_", "'0'.", "\r\n0\r\n", " " * LONG + "0"]
UNREADABLES = [
    *("", " ", "\n", " " * LONG, ".", "**", "``", "()", '""', "-", "?"),
    *("0 or 1", "1 or 0", "1/0", "0/1", "1 0", "0 1", "0\n1", "1, 0", "01", "10", "00", "11", "1 1", "100", "0.0"),
    *(
        "1.0",
        "0.5",
        "1.5",
        ".1",
        "1,",
        "-1",
        "+1",
        "- 1",
        "−1",
        "1%",
        "1e0",
        "0x1",
        "1!",
        "1?",
        "1:",
        "#1",
        "~1",
        "1 -",
    ),
    *("2", "5", "9", "score: 1/0", "score: 1", "Answer: 1", "Score: 0.", "1 because it is good", "1: it is", "= 1"),
    *(
        "Yes",
        "Yes.",
        "yes",
        "No",
        "No.",
        "Y",
        "N",
        "true",
        "True",
        "False",
        "one",
        "One",
        "zero",
        "null",
        "None",
        "nan",
    ),
    *("I", "l", "O", "o", "¹", "₁", "①", "１", "０", "१", "١", "۰", "Ⅰ", "一", "零", "〇", "壱"),
    *("ja", "nein", "oui", "non", "sí", "да", "нет", "是", "否", "はい", "いいえ", "نعم", "לא", "हाँ", "네", "ใช่"),
    *("👍", "👎", "✅", "❌", "1️⃣", "0️⃣", "🤷", "1 👍", "✅ 1", "“1”", "«1»", "{1}", "<1>", "1\\", "\\1", "$1$", "|1|"),
    *("\u200b1", "1\u200b", "\ufeff1", "1\x00", "\x001", "1\u0301", "<s>1</s>", "1<|im_end|>", "1;", "1\n0\n1"),
    *("1" + " " * LONG + "x", "x" + " " * LONG + "1", "*" * LONG, "1" * LONG, "The document is worth learning from."),
]
TABLE = [(text, 1.0) for text in YES] + [(text, 0.0) for text in NO] + [(text, None) for text in UNREADABLES]


def shown(value: object) -> str:
    return ascii(value)[:24]


def test_the_table_is_long_and_has_no_row_twice() -> None:
    assert len({text for text, _ in TABLE}) == len(TABLE) >= 60


@pytest.mark.parametrize(("text", "expected"), TABLE, ids=shown)
def test_odd_answers(text: str, expected: float | None) -> None:
    assert read_verdict(Answer(text)) == expected


@given(st.text(st.characters(exclude_characters="01")))
def test_an_answer_without_either_digit_is_never_a_verdict(text: str) -> None:
    assert read_verdict(Answer(text)) is None


@given(st.text(max_size=12), st.sampled_from("01"), st.text(max_size=12))
def test_words_around_a_digit_are_never_a_verdict(before: str, digit: str, after: str) -> None:
    found = read_verdict(Answer(before + digit + after))
    # At most the digit itself may be read, and only where no letter or other digit stands beside it.
    assert found in (None, float(digit))
    assert found is None or not any(character.isalnum() for character in before + after)


@given(st.floats(0, 1), st.sampled_from(["0", "1", "", "Yes", "nonsense"]))
def test_a_probability_counts_whatever_the_text_says(probability: float, text: str) -> None:
    assert read_verdict(Answer(text, probability=probability)) == probability


@pytest.mark.parametrize("probability", [-0.01, 1.01, float("nan"), float("inf"), float("-inf"), 25.0])
@pytest.mark.parametrize("text", ["1", "0"])
def test_a_probability_out_of_range_is_unreadable(probability: float, text: str) -> None:
    assert read_verdict(Answer(text, probability=probability)) is None


QUALITY = Question("document_quality", "quality", "low_quality", lambda p: p >= 0.5)
ADVERT = Question("document_advertisement", "advertisement", "advertisement", lambda p: p <= 0.5)
PRIVATE = Question("document_privacy", "privacy", "private", lambda p: p <= 0.5)
QUESTIONS = (QUALITY, ADVERT, PRIVATE)
PASSING = {QUALITY.prompt: "1", ADVERT.prompt: "0", PRIVATE.prompt: "0"}


@dataclass
class Judge(ScriptedTeacher):
    """A teacher whose verdicts are scripted by prompt and row; what is not scripted passes."""

    script: Mapping[tuple[str, str], Answer] = field(default_factory=dict)
    asked: list[list[Request]] = field(default_factory=list)

    async def answers(self, requests: Sequence[Request]) -> AsyncGenerator[tuple[int, Answer]]:
        self.asked.append(list(requests))
        for place, request in enumerate(requests):
            yield place, self.script.get((request.prompt, request.row_id), Answer(PASSING.get(request.prompt, "1")))

    @property
    def questions(self) -> list[tuple[str, str]]:
        """Prompt of each round, and the rows that it was put for."""
        return [(requests[0].prompt, "".join(r.row_id for r in requests)) for requests in self.asked if requests]


def document(name: str) -> Document:
    return Document(name, f"The document {name} is about bees.", "bees.txt", "0")


def values_of(row: Document) -> dict[str, str]:
    return {"document": row.text}


def scripted(**answers: tuple[Question, Answer]) -> Judge:
    return Judge({(question.prompt, name): answer for name, (question, answer) in answers.items()})


async def test_questions_come_in_order_and_only_survivors_are_asked() -> None:
    teacher = scripted(b=(QUALITY, Answer("0")), c=(ADVERT, Answer("1")), d=(PRIVATE, Answer("1")))
    kept, dropped = await judge([document(name) for name in "abcde"], QUESTIONS, values_of, teacher, "screen")
    assert teacher.questions == [(QUALITY.prompt, "abcde"), (ADVERT.prompt, "acde"), (PRIVATE.prompt, "ade")]
    assert [row.id for row in kept] == ["a", "e"]
    assert [(row.id, row.phase, row.reason) for row in dropped] == [
        ("b", "screen", "low_quality"),
        ("c", "screen", "advertisement"),
        ("d", "screen", "private"),
    ]
    assert [row.detail for row in dropped] == [
        "document_quality 0.000",
        "document_advertisement 1.000",
        "document_privacy 1.000",
    ]


@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.parametrize("text", ["", "Yes.", "0 or 1", "👍", "10", " " * LONG])
async def test_what_cannot_be_read_is_rejected_and_no_other_row_suffers(question: Question, text: str) -> None:
    teacher = scripted(b=(question, Answer(text)))
    kept, dropped = await judge([document(name) for name in "abc"], QUESTIONS, values_of, teacher, "screen")
    assert [row.id for row in kept] == ["a", "c"]
    assert [(row.id, row.reason, row.detail) for row in dropped] == [("b", UNREADABLE, question.prompt)]


async def test_all_unreadable_means_all_rejected() -> None:
    teacher = scripted(**{name: (ADVERT, Answer("maybe")) for name in "abc"})
    kept, dropped = await judge([document(name) for name in "abc"], QUESTIONS, values_of, teacher, "screen")
    assert kept == []
    assert [row.reason for row in dropped] == [UNREADABLE] * 3
    assert len(teacher.questions) == 2


async def test_a_prompt_that_did_not_fit_is_no_verdict() -> None:
    teacher = scripted(b=(ADVERT, Answer("", "context")), c=(ADVERT, Answer("0", "context", 0.0)))
    kept, dropped = await judge([document(name) for name in "abc"], QUESTIONS, values_of, teacher, "screen")
    assert [row.id for row in kept] == ["a"]
    assert [row.reason for row in dropped] == ["prompt_too_long"] * 2


async def test_a_row_is_judged_alike_alone_and_among_others() -> None:
    rows = [document(name) for name in "abcdef"]
    script = {
        (question.prompt, row.id): Answer("", probability=(3 * n + 5 * m) % 10 / 10)
        for n, row in enumerate(rows)
        for m, question in enumerate(QUESTIONS)
    }
    kept, dropped = await judge(rows, QUESTIONS, values_of, Judge(script), "screen")
    assert kept
    assert dropped
    alone = [await judge([row], QUESTIONS, values_of, Judge(script), "screen") for row in rows]
    assert [row for some, _ in alone for row in some] == kept
    assert {row for _, some in alone for row in some} == set(dropped)


async def test_survivors_carry_the_probabilities_and_are_otherwise_as_they_were() -> None:
    script = {
        (QUALITY.prompt, "a"): Answer("1", probability=0.5),
        (ADVERT.prompt, "a"): Answer("0", probability=0.5),
        (PRIVATE.prompt, "a"): Answer("0", probability=0.25),
    }
    before = document("a")
    (row,), dropped = await judge([before], QUESTIONS, values_of, Judge(script), "screen")
    assert row == replace(before, quality=0.5, advertisement=0.5, privacy=0.25)
    assert dropped == []


async def test_requests_are_the_prompt_for_one_token_of_two_choices() -> None:
    teacher = Judge()
    await judge([document("a")], QUESTIONS, values_of, teacher, "screen")
    for (request,), question in zip(teacher.asked, QUESTIONS, strict=True):
        assert request.text == load_prompt(question.prompt).render({"document": "The document a is about bees."})
        assert request.sampling == Sampling(max_tokens=1)
        assert request.choices == ("1", "0")
        assert (request.row_id, request.document_id) == ("a", "a")


async def test_an_instructions_request_names_its_document() -> None:
    row = Instruction("i", "Explain bees.", "", "d", "s", "", "c", 0, 0, "", "", "imperative")
    teacher = Judge()
    answerable = Question("instruction_answerable", "answerable", "not_answerable", lambda p: p >= 0.5)
    kept, _ = await judge([row], [answerable], lambda row: {"instruction": row.instruction}, teacher, "seeds")
    assert [(request.row_id, request.document_id) for (request,) in teacher.asked] == [("i", "d")]
    assert kept == [replace(row, answerable=1.0)]


@pytest.mark.parametrize(("names", "questions"), [("", QUESTIONS), ("abc", ())])
async def test_nothing_asked_nothing_dropped(names: str, questions: Sequence[Question]) -> None:
    rows = [document(name) for name in names]
    teacher = Judge()
    assert await judge(rows, questions, values_of, teacher, "screen") == (rows, [])
    assert teacher.questions == []
