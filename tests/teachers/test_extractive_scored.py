"""Scores of the teacher without weights: they move with what they are said to measure."""

from __future__ import annotations

from fanno_core.selection.alpagasus import strict_score
from fanno_core.selection.humpback import last_score
from fanno_core.teachers.extractive.scored import response_score, triplet_score

ASKED = "Explain why whales come to the surface of the sea."
GOOD = (
    "Whales are mammals, so they have lungs and breathe air. They come to the surface of the sea because they cannot "
    "take oxygen from water as fish do. A whale can hold its breath for a long time while it looks for food."
)


def scores(instruction: str, output: str, given: str = "") -> tuple[float, float]:
    fields = {"instruction": instruction, "input": given, "output": output, "dimension": "accuracy"}
    return strict_score(triplet_score(fields)), last_score(response_score(fields))


def test_a_good_answer_is_kept_by_both() -> None:
    assert scores(ASKED, GOOD) >= (4.5, 5)


def test_what_is_worse_scores_less() -> None:
    good = scores(ASKED, GOOD)
    for output in (
        "",
        "I'm sorry, but I cannot answer that.",
        "Whales " * 60,
        "Buy now! Only $5! Call 555 0199 today!" * 3,
    ):
        assert all(worse < better for worse, better in zip(scores(ASKED, output), good, strict=True)), output
    assert scores("And it?", GOOD) < good


def test_an_empty_answer_is_the_least_that_there_is() -> None:
    assert scores(ASKED, "") == (0, 1)
