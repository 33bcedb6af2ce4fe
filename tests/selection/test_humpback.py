"""Humpback's self-curation: reading scores, also hostile ones, and the bound."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fanno_core.selection.contract import keep_of
from fanno_core.selection.humpback import HUMPBACK, HumpbackOptions, last_score, score, score_request
from fanno_core.teachers.protocol import Answer
from tests.selection.rows import Judge, alpaca_rows, reasons_of, row_of, tools_with

READ = {"It is right.\nScore: 5": 5, "score: 1": 1, "Fine. Score:4\n": 4}
UNREAD = ("", "Score: 6", "Score: 0", "Score: 55", "Score: 5 of 5", "Score: five", "5", "Score: 5.", "Score: ٥")


@pytest.mark.parametrize(("text", "wanted"), READ.items())
def test_the_score_ends_the_answer(text: str, wanted: float) -> None:
    assert last_score(text) == wanted


@pytest.mark.parametrize("text", UNREAD)
def test_anything_else_is_none(text: str) -> None:
    assert math.isnan(last_score(text))


def test_read_loosely_a_score_may_stand_anywhere() -> None:
    text = "Score: 4\nIt could be shorter."
    assert math.isnan(last_score(text))
    assert last_score(text, "loose") == 4
    assert math.isnan(last_score("Score: 40", "loose"))


@given(st.text(max_size=30), st.integers(-3, 99))
def test_whatever_is_read_is_on_the_scale(text: str, number: int) -> None:
    for said in (text, f"{text}Score: {number}"):
        found = last_score(said)
        assert math.isnan(found) or found in {1, 2, 3, 4, 5}


async def test_fives_are_kept_and_what_cannot_be_read_never() -> None:
    said = {
        "a": Answer("Right.\nScore: 5"),
        "b": Answer("Right.\nScore: 4"),
        "c": Answer("Right, I would say."),
        "d": Answer("Right.\nScore: 5", "length"),
        "e": Answer("", "refused"),
        "f": Answer("", "context"),
    }
    rows = [row_of(f"Say {output}.", output) for output in said]
    options = HumpbackOptions()
    for backwards in (False, True):
        scores = await score(rows, tools_with(Judge(said.__getitem__, backwards)), options)
        found = HUMPBACK.choose(rows, scores, keep_of(HUMPBACK.keep), tools_with(), options)
        assert found.places == [0]
        assert reasons_of(found) == {
            1: "not_selected",
            2: "unreadable_score",
            3: "cut_off",
            4: "request_refused",
            5: "prompt_too_long",
        }
    assert HUMPBACK.choose(rows, scores, keep_of(">=4"), tools_with(), options).places == [0, 1]


async def test_an_input_goes_with_its_instruction() -> None:
    row = row_of("Add them.", "3", "1 and 2")
    assert "Add them.\n1 and 2" in score_request(row, HumpbackOptions()).text


async def test_the_extractive_teacher_is_read() -> None:
    rows = alpaca_rows(60)
    scores = await score(rows, tools_with(), HumpbackOptions())
    assert not [s for s in scores if s.reason]
    assert len({s.score for s in scores}) > 2
    assert HUMPBACK.choose(rows, scores, keep_of(HUMPBACK.keep), tools_with(), HumpbackOptions()).places
