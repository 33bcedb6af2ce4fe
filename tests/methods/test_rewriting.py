from __future__ import annotations

from dataclasses import replace

import pytest

from fanno_core.methods.contract import Origin
from fanno_core.methods.rewriting import DIRECT, SHOWN, descendant, response_fault, response_request
from fanno_core.teachers.extractive.teacher import ExtractiveTeacher
from fanno_core.teachers.protocol import Answer, Sampling, finish_fault
from tests.methods.generating import Replying
from tests.methods.transforming import row_of

ROW = replace(row_of("r1", "Name a river.", "In Peru.", "The Amazon."), document_id="d1", source="s", licence="MIT")


def test_a_teacher_that_knows_nothing_is_shown_the_row_and_others_are_not() -> None:
    sampling = Sampling(9)
    shown = response_request("r1:1", "Name a lake.", ROW, sampling, ExtractiveTeacher())
    direct = response_request("r1:1", "Name a lake.", ROW, sampling, Replying(lambda _: ""))
    assert (shown.prompt, shown.fields["document"]) == (SHOWN, "The Amazon.\n\nIn Peru.")
    assert direct.prompt == DIRECT
    assert "Amazon" not in direct.text
    assert {shown.document_id, direct.document_id} == {"d1"}


def test_a_descendant_takes_over_where_its_parent_is_from() -> None:
    made = descendant(ROW, Origin("m", made_from=("r1",)), "Name a lake.", "", "Titicaca.", 3)
    assert (made.document_id, made.source, made.licence, made.output_tokens) == ("d1", "s", "MIT", 3)
    assert made.id != "r1"


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        (Answer("x"), ""),
        (Answer("x", "length"), "cut_off"),
        (Answer("", "context"), "prompt_too_long"),
        (Answer("", "refused"), "request_refused"),
    ],
)
def test_an_answer_that_is_not_whole_says_why(answer: Answer, fault: str) -> None:
    assert finish_fault(answer) == fault
    assert response_fault(answer, "Name a river.", "") == fault
