"""Mosaics written by hand, read back."""

from __future__ import annotations

import pytest

from fanno_core.methods.mosaics.demands import Demand
from fanno_core.methods.mosaics.marks import Numbering, Tags
from fanno_core.methods.mosaics.reading import read_mosaic


def test_an_order_with_numbers_and_tags() -> None:
    read = read_mosaic(
        "Respond in reverse order.\n\n(1). Name a bird.\n(2). Name a fish.\nNot a shark.\n"
        "Put each response between <begin> and <end>.",
        "(2). <begin>A trout.\n\n(3). Or a carp.<end>\n\n(1). <begin>A robin.<end>",
    )
    # The response's own "(3). Or" is not followed by the tag, so it is no mark.
    assert read is not None
    assert read.strategy == "order"
    assert (read.numbering, read.tags) == (Numbering("(", "). "), Tags("<begin>", "<end>"))
    assert read.questions == ("Name a bird.", "Name a fish.\nNot a shark.")
    assert read.sequence == read.answered == (2, 1)
    assert read.answers == ("A trout.\n\n(3). Or a carp.", "A robin.")


def test_a_mask_without_numbers_or_tags() -> None:
    read = read_mosaic(
        "Which is the largest of all the planets?\nSay hello.\nName a colour.\n\n"
        "Ignore the instruction with the most words.",
        "Hello!\n\nRed.",
    )
    assert read is not None
    assert read.demand == Demand("mask", "longest", count=1)
    assert (read.left_out, read.sequence, read.answers) == ((1,), (2, 3), ("Hello!", "Red."))


def test_a_single_question_without_anything_is_one_question() -> None:
    read = read_mosaic("Say hello.\nTo everyone.", "Hello,\n\neveryone.")
    assert read is not None
    assert (read.questions, read.answers) == (("Say hello.\nTo everyone.",), ("Hello,\n\neveryone.",))


def test_a_response_in_another_order_is_seen() -> None:
    read = read_mosaic("1: Say A.\n2: Say B.\nRespond in the order <2>-><1>.", "1: A\n\n2: B")
    assert read is not None
    assert (read.sequence, read.answered) == ((2, 1), (1, 2))


@pytest.mark.parametrize(
    ("instruction", "output"),
    [
        ("1. Say A.\n3. Say B.", "1. A\n\n3. B"),
        ("1. Say A.\n2. Say B.", "A\n\nB"),
        ("1. Say A.\n2. Say B.", ""),
        ("Respond in the order 1, 1.\n1. Say A.\n2. Say B.", ""),
        ("Respond to all of these instructions.\nSay A.\nSay B.", "A"),
        ("Put each response between <begin> and <end>.\n1. Say A.", "1. <begin>A"),
    ],
    ids=["a number is missing", "no numbers", "nothing", "no order", "too few", "no end"],
)
def test_what_is_no_mosaic_reads_as_none(instruction: str, output: str) -> None:
    assert read_mosaic(instruction, output) is None


def test_tags_that_no_mosaic_has_are_no_tags() -> None:
    read = read_mosaic("Put each response between here and there.\nSay A.", "A")
    assert read is not None
    assert read.tags is None
