from __future__ import annotations

import math

import numpy as np
import pytest

from fanno_core.errors import BadSettings
from fanno_core.methods.reflections import INSTRUCTION, MERGE, NEW_ANSWER, NEW_BOTH, NEW_QUESTION, ORIGINAL, draft_of
from fanno_core.methods.selective_reflect import (
    NAME,
    SELECTIVE_REFLECT,
    Forms,
    SelectiveReflectOptions,
    Version,
    acceptance_fault,
    chosen,
    scored,
)
from fanno_core.outcome import Outcome
from fanno_core.selection.ifd import REFLECTION, ifd, reversed_ifd
from fanno_core.store.contracts import Example
from fanno_core.teachers.extractive.teacher import ExtractiveTeacher
from fanno_core.teachers.protocol import Request
from fanno_core.tools import Tools
from tests.methods.generating import Reply, Replying
from tests.methods.transforming import dolly, row_of
from tests.selection.rows import letters, tiny_model

pytest.importorskip("torch", reason="needs fanno[models]")

DRAFT = draft_of(row_of("r", "Name a river.", "", "The Amazon."))
ROWS = [
    row_of(f"r{n}", f"Name river {n} of the country.", "In Peru." if n % 2 else "", f"The old answer is river {n}.")
    for n in range(6)
]


def forms(original: float, question: float, **back: float) -> Forms:
    """Versions with the IFD of the row and of the new question; reversed ones by kind, 0.5 where nothing is said."""
    scores = {ORIGINAL: original, NEW_QUESTION: question, NEW_ANSWER: 0.5, NEW_BOTH: 0.5}
    names = {ORIGINAL: "a", NEW_QUESTION: "q", NEW_ANSWER: "better", NEW_BOTH: "both"}
    return {kind: Version(DRAFT, score, back.get(names[kind], 0.5)) for kind, score in scores.items()}


@pytest.mark.parametrize(
    ("found", "kind"),
    [
        (forms(0.5, 0.6, q=0.5, both=0.4), NEW_BOTH),
        (forms(0.5, 0.6, q=0.5, both=0.5), NEW_QUESTION),
        (forms(0.5, 0.6, q=0.5, both=0.6), NEW_QUESTION),
        (forms(0.5, 0.6, q=0.5, both=math.nan), NEW_QUESTION),
        (forms(0.5, 0.5, a=0.5, better=0.4), NEW_ANSWER),
        (forms(0.5, 0.4, a=0.5, better=0.5), ORIGINAL),
        (forms(0.5, 0.4, a=0.5, better=0.6), ORIGINAL),
        (forms(0.5, math.nan, a=0.5, better=0.4), NEW_ANSWER),
        (forms(math.nan, 0.6, a=0.5, better=0.6), ORIGINAL),
        (forms(0.5, 0.4, a=math.nan, better=0.4), ORIGINAL),
    ],
)
def test_the_student_decides_between_questions_and_then_between_answers(found: Forms, kind: str) -> None:
    assert chosen(found) == kind


@pytest.mark.parametrize(
    ("kind", "there", "back", "branches", "fault"),
    [
        (NEW_BOTH, 0.9, 0.9, "published", ""),
        (NEW_ANSWER, 0.9, 0.9, "published", ""),
        (NEW_QUESTION, 0.9, 0.9, "published", "no_better_answer"),
        (ORIGINAL, 0.9, 0.9, "published", "no_better_answer"),
        (NEW_QUESTION, 0.9, 0.9, "all", ""),
        (ORIGINAL, 0.9, 0.9, "all", ""),
        (NEW_BOTH, 1.0, 0.9, "all", "above_bound"),
        (NEW_BOTH, 0.9, 1.0, "all", "not_foretold"),
        (NEW_BOTH, math.inf, 0.9, "all", "above_bound"),
        (NEW_BOTH, math.nan, 0.9, "all", "nothing_to_score"),
        (NEW_BOTH, 0.9, math.nan, "all", "nothing_to_score"),
        (ORIGINAL, math.nan, math.nan, "all", "nothing_to_score"),
    ],
)
def test_a_version_is_accepted_below_both_bounds_and_never_without_a_score(
    kind: str, there: float, back: float, branches: str, fault: str
) -> None:
    assert acceptance_fault(kind, Version(DRAFT, there, back), branches) == fault


def test_all_versions_are_scored_in_the_same_batches_as_each_would_be_alone() -> None:
    drafts = [draft_of(row) for row in ROWS]
    scorer = tiny_model("llama_tiny")
    grid = [
        {ORIGINAL: draft, NEW_QUESTION: None, NEW_ANSWER: other}
        for draft, other in zip(drafts, drafts[::-1], strict=True)
    ]
    found = scored(grid, scorer, 2048)
    wanted = [d.by_perplexity for d in ifd(drafts, scorer, REFLECTION)]
    back = [d.by_perplexity for d in reversed_ifd(drafts, scorer)]
    np.testing.assert_allclose([each[ORIGINAL].ifd for each in found], wanted, rtol=1e-4)
    np.testing.assert_allclose([each[NEW_ANSWER].ifd for each in found], wanted[::-1], rtol=1e-4)
    np.testing.assert_allclose([each[ORIGINAL].reversed_ifd for each in found], back, rtol=1e-4)
    assert all(math.isnan(each[NEW_QUESTION].ifd) for each in found)


def reply(request: Request) -> str:
    asked, name = request.fields["instruction"], request.row_id
    if request.prompt == MERGE:
        return f"[New Instruction] {asked} It lies in Peru. [End]"
    if request.prompt == INSTRUCTION:
        return (
            f"[New Instruction] {asked} Tell why for {name}. [End]\n[New Answer] It is {name}, since it is long. [End]"
        )
    return f"[Better Answer] Better, it is the river of {name}, which is long. [End]"


async def changed(answers: Reply, shuffle: int | None = None, **options: object) -> tuple[Outcome[Example], Replying]:
    teacher = Replying(answers, shuffle)
    how = SelectiveReflectOptions.model_validate({"model": "llama_tiny", **options})
    return await SELECTIVE_REFLECT.change(ROWS, Tools(teacher, letters, tiny_model, 7), how), teacher


async def test_each_row_leads_to_one_version_or_to_one_reason() -> None:
    found, teacher = await changed(reply, branches="all")
    assert {(row.made_from or (row.id,))[0] for row in found.kept} | {r.id for r in found.rejected} == {
        row.id for row in ROWS
    }
    assert found.candidates == 6
    assert len(teacher.asked) == 3 + 3 * 6
    published, _ = await changed(reply)
    assert {row.task_type for row in published.kept} <= {NEW_BOTH, NEW_ANSWER}
    better = [row for row in found.kept if row.task_type in {NEW_BOTH, NEW_ANSWER}]
    assert published.kept == better


async def test_what_the_teacher_could_not_write_is_never_chosen() -> None:
    found, _ = await changed(lambda _: "no marks", branches="all")
    assert [row for row in found.kept if row.method == NAME] == []
    assert set(found.kept) <= set(ROWS)
    published, teacher = await changed(lambda _: "no marks")
    assert published.reasons == {"no_better_answer": 6}
    assert len(teacher.asked) <= 6 * SELECTIVE_REFLECT.calls(SelectiveReflectOptions())


async def test_the_order_of_answers_changes_nothing() -> None:
    outcomes = [(await changed(reply, shuffle, branches="all"))[0] for shuffle in (None, 1, 2)]
    assert outcomes[0] == outcomes[1] == outcomes[2]


async def test_a_student_has_to_be_named() -> None:
    with pytest.raises(BadSettings, match=r"selective-reflect needs .* --option model="):
        await changed(reply, model="")


async def test_it_ends_on_the_teacher_without_weights() -> None:
    how = SelectiveReflectOptions(model="llama_tiny", student_tokens=256)
    found = await SELECTIVE_REFLECT.change(dolly(24), Tools(ExtractiveTeacher(), letters, tiny_model, 7), how)
    assert len(found.kept) > 2
    assert set(found.reasons) <= {"no_better_answer", "above_bound", "not_foretold", "nothing_to_score"}
