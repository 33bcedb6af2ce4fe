from __future__ import annotations

import pytest

from fanno_core.report.measures.quality import copied_shares, count_refusals, repetitions
from fanno_core.store.contracts import Placed
from tests.report.measures.rows import example

TEXT = "The old mill stands by the river and has ground flour for three hundred years without a pause."


def placed(name: str, text: str) -> Placed:
    return Placed(name, name, 1, 0, 0, 0, text, "s", "1", "", 0, 0.9)


def share(output: str) -> float:
    return copied_shares([example("r", output=output, document_id="d")], {"d": placed("d", TEXT)})["r"]


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        (TEXT, 1.0),
        (TEXT.upper(), 1.0),
        ("The old mill stands by the river and", 1.0),
        ("The old mill stands by the river", 0.0),  # seven words
        ("We know: the old mill stands by the river and it is nice there.", 8 / 14),
        ("Mill river flour years pause old three hundred stands by the.", 0.0),
    ],
)
def test_copied_are_words_in_runs_of_eight(output: str, expected: float) -> None:
    assert share(output) == pytest.approx(expected)


def test_two_copied_runs_count_each_word_once() -> None:
    assert share("The old mill stands by the river and has ground flour for; the end") == pytest.approx(12 / 14)


def test_rows_without_words_or_without_their_document_have_no_share() -> None:
    rows = [example("a", output="...", document_id="d"), example("b", output=TEXT, document_id="gone")]
    assert copied_shares(rows, {"d": placed("d", TEXT)}) == {}


def test_a_document_of_another_row_is_not_copied_from() -> None:
    rows = [example("a", output=TEXT, document_id="other")]
    assert copied_shares(rows, {"d": placed("d", TEXT), "other": placed("other", "Something else.")}) == {"a": 0.0}


def test_refusals_and_repetition() -> None:
    assert count_refusals(["I'm sorry, but I cannot help with that.", "I cannot tell you how glad I am.", "Yes."]) == 1
    assert repetitions(["one two three four", "a b c d " * 3, ""]) == pytest.approx([0.0, 5 / 9, 0.0])
