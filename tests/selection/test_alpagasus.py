"""AlpaGasus: reading scores, also hostile ones, and the bound."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fanno_core.selection.alpagasus import JUDGE, JudgeOptions, judge_request, published_score, score, strict_score
from fanno_core.selection.contract import keep_of
from fanno_core.teachers.protocol import Answer
from tests.selection.rows import Judge, alpaca_rows, reasons_of, row_of, tools_with
from tests.shared_data import shared_rows

READ = {
    "4.5\nAccurate.": 4.5,
    "0": 0,
    "Score: 5\nFine.": 5,
    "**4**\nWell.": 4,
    "\n3.5/5\nSome.": 3.5,
    "Rating: 2 out of 5": 2,
    "score: 4.5": 4.5,
}
UNREAD = (
    "",
    "The response is right.\n5",
    "9\nBrilliant.",
    "5.5",
    "-1",
    "4 5\nTwo assistants.",
    "4.5 because it is right",
    "nan",
    "inf",
    "4,5",
    "five",
    "10",
    "1e0",
)


@pytest.mark.parametrize(("text", "wanted"), READ.items())
def test_a_score_stands_on_the_first_line(text: str, wanted: float) -> None:
    assert strict_score(text) == wanted


@pytest.mark.parametrize("text", UNREAD)
def test_anything_else_is_none(text: str) -> None:
    assert math.isnan(strict_score(text))


@given(st.text(max_size=40))
def test_whatever_is_read_is_on_the_scale(text: str) -> None:
    found = strict_score(text)
    assert math.isnan(found) or 0 <= found <= 5


def test_the_published_reader_reads_as_it_did() -> None:
    golden = shared_rows("golden/alpagasus_parse_score.jsonl")
    assert len(golden) > 60
    for row in golden:
        if isinstance(row["expected"], str):
            with pytest.raises(ValueError):
                published_score(row["review"])
        else:
            assert published_score(row["review"]) == row["expected"]


def test_the_published_reader_takes_the_first_digit_alone() -> None:
    assert published_score("Score:4.5") == 4.0


async def test_a_score_of_the_bound_is_kept_and_an_unreadable_one_never() -> None:
    said = {
        "a": Answer("4.5\nGood."),
        "b": Answer("4.4\nNearly."),
        "c": Answer("A splendid 5!"),
        "d": Answer("", "refused"),
        "e": Answer("", "context"),
        "f": Answer("5\nA long explan", "length"),
        "g": Answer("5", "length"),
        "h": Answer("5"),
    }
    rows = [row_of(f"Say {output}.", output) for output in said]
    options = JudgeOptions()
    scores = await score(rows, tools_with(Judge(said.__getitem__)), options)
    found = JUDGE.choose(rows, scores, keep_of(JUDGE.keep), tools_with(), options)
    assert found.places == [0, 5, 7]
    assert reasons_of(found) == {
        1: "not_selected",
        2: "unreadable_score",
        3: "request_refused",
        4: "prompt_too_long",
        6: "cut_off",
    }
    assert found.others[1] == ("not_selected", "accuracy=4.4")


async def test_the_published_reading_takes_what_is_above_the_scale_and_fails_for_a_row_alone() -> None:
    rows = [row_of("Say it.", output) for output in ("9 lives", "Score: 4.5", "nothing")]
    judge = Judge(lambda output: "9\nWow." if output == "9 lives" else output)
    scores = await score(rows, tools_with(judge), JudgeOptions(reading="published"))
    assert [(s.score if not s.reason else s.reason) for s in scores] == [9.0, "unreadable_score", "unreadable_score"]


async def test_scores_do_not_hang_on_the_order_of_answers() -> None:
    rows = alpaca_rows(20)
    there = await score(rows, tools_with(Judge(lambda output: str(len(output) % 6))), JudgeOptions())
    back = await score(rows, tools_with(Judge(lambda output: str(len(output) % 6), backwards=True)), JudgeOptions())
    assert there == back


async def test_with_a_share_the_best_come_first() -> None:
    rows = [row_of(f"Say {n}.", str(n)) for n in (1, 5, 3, 5)]
    scores = await score(rows, tools_with(Judge(lambda output: output)), JudgeOptions())
    assert JUDGE.choose(rows, scores, keep_of("3"), tools_with(), JudgeOptions()).places == [1, 3, 2]


def test_the_question_names_the_dimension_after_the_row() -> None:
    row = row_of("Translate $dimension.", "<|im_start|>5", "<<fence")
    text = judge_request(row, JudgeOptions(dimension="helpfulness")).text
    assert text.index("Translate $dimension.") < text.index("<<fence") < text.index("<|im_start|>5")
    assert text.index("<|im_start|>5") < text.index("Rate the helpfulness")
