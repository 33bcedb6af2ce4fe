from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace

import numpy as np
import pytest

from fanno_core.errors import BadSettings
from fanno_core.outcome import Outcome
from fanno_core.prompts.loader import load_prompt
from fanno_core.responses.answers import PHASE, PROMPTS, require_mode, respond, response_mode
from fanno_core.responses.retrieval import Library, build_library
from fanno_core.settings import Settings, make_settings
from fanno_core.store.contracts import Example, Instruction, question_of
from fanno_core.teachers.protocol import Answer, Request, Sampling
from tests.scripted import ScriptedTeacher

GOOD = "Bees dance to tell the others where flowers are."
MODES = tuple(PROMPTS)

# Cosines to "bees": dance 1, hive 0.8, wax 0.6, whales 0.
DOCUMENTS = {"dance": [1, 0], "hive": [0.8, 0.6], "wax": [0.6, -0.8], "whales": [0, 1]}
TEXTS = {name: f"What is known of {name}." for name in DOCUMENTS}


@dataclass
class Scripted(ScriptedTeacher):
    """A teacher whose answers are scripted by instruction; what is not scripted is good."""

    script: Mapping[str, Answer] = field(default_factory=dict)
    asked: list[Request] = field(default_factory=list)

    def reply(self, request: Request) -> Answer:
        return self.script.get(request.row_id, Answer(GOOD))


def instruction(name: str = "i", document: str = "dance", given: str = "") -> Instruction:
    return Instruction(
        id=name,
        instruction="Explain in a sentence why bees dance.",
        input=given,
        document_id=document,
        source="bees.txt",
        licence="CC0-1.0",
        community="community",
        topic=3,
        iteration=2,
        characteristic="multi-step",
        task_type="mathematics",
        form="imperative",
        counterexamples=("s1", "s2"),
        prompt="think_different@0",
        teacher="scripted/tests@1",
        private=0.1,
        unsafe=0.2,
        answerable=0.9,
        similarity=0.4,
    )


def library(names: Sequence[str] = tuple(DOCUMENTS)) -> Library:
    vectors = np.array([DOCUMENTS[name] for name in names], np.float32).reshape(len(names), 2)
    return build_library(list(names), [TEXTS[name] for name in names], vectors, 1000)


async def ask(
    mode: str,
    rows: Sequence[Instruction],
    teacher: Scripted | None = None,
    shelf: Library | None = None,
    **responses: object,
) -> Outcome[Example]:
    """Responses to rows all of whose vectors are those of the document `dance`."""
    vectors = np.tile(np.array([[1, 0]], np.float32), (len(rows), 1))
    shelf = None if mode == "direct" else shelf or library()
    settings = make_settings({"responses": responses, "run": {"seed": 5}})
    return await respond(rows, vectors, shelf, mode, teacher or Scripted(), settings)


# For each mode: the prompt, what is retrieved for an instruction from `dance`, and what the teacher sees.
SEEN = [
    ("direct", "response_direct", (), ()),
    ("document", "response_document", (), ("dance",)),
    ("rag", "response_rag", ("hive", "wax"), ("hive", "wax")),
    ("rag+", "response_rag_plus", ("hive", "wax"), ("dance", "hive", "wax")),
]


@pytest.mark.parametrize(("mode", "prompt", "retrieved", "seen"), SEEN)
async def test_each_mode_shows_its_documents(
    mode: str, prompt: str, retrieved: tuple[str, ...], seen: tuple[str, ...]
) -> None:
    teacher = Scripted()
    outcome = await ask(mode, [instruction()], teacher)
    (request,) = teacher.asked
    assert request.prompt == prompt == PROMPTS[mode]
    assert request.text == load_prompt(prompt).render(request.fields)
    assert "### Instruction:\nExplain in a sentence why bees dance.\n\n### Response:" in request.text
    assert [name for name in DOCUMENTS if TEXTS[name] in request.text] == list(seen)
    places = [request.text.index(TEXTS[name]) for name in seen]
    assert places == sorted(places)
    assert (request.row_id, request.document_id, request.choices) == ("i", "dance", ())
    (row,) = outcome.kept
    assert (row.response_mode, row.retrieved) == (mode, retrieved)
    assert row.response_prompt == load_prompt(prompt).label


@pytest.mark.parametrize("mode", MODES)
async def test_an_example_is_its_instruction_with_the_answer(mode: str) -> None:
    before = instruction(given="Bees danse.")
    teacher = Scripted({"i": Answer(f"\n {GOOD}\n\n")})
    (row,) = (await ask(mode, [before], teacher)).kept
    shared = {f.name for f in fields(Instruction)} & {f.name for f in fields(Example)}
    # prompt, sampling and cut_tokens are called instruction_prompt and so on
    assert len(shared) == len(fields(Instruction)) - 3
    assert {name: getattr(row, name) for name in shared} == {name: getattr(before, name) for name in shared}
    assert row.instruction_prompt == before.prompt
    assert row.output == GOOD
    assert row.output_tokens == len(GOOD.split())
    assert teacher.asked[0].fields["instruction"] == question_of(before)
    assert question_of(before) in teacher.asked[0].text


async def test_sampling_comes_from_the_settings() -> None:
    teacher = Scripted()
    for mode in MODES:
        await ask(mode, [instruction()], teacher, max_tokens=33, temperature=0.25, top_p=0.75)
    assert {request.sampling for request in teacher.asked} == {Sampling(33, 0.25, 0.75, 5)}


REJECTED = [
    (Answer("", "context"), "prompt_too_long"),
    (Answer("  \n"), "empty"),
    (Answer(GOOD, "length"), "cut_off"),
    (Answer("I'm sorry, but I can't help with that."), "refusal"),
    (Answer("Bees dance. ### Response: Bees dance."), "leaks_prompt"),
    (Answer("Bees dance in the hive. " * 9), "repetition"),
    (Answer("Explain in a sentence why bees dance."), "copies_instruction"),
    (Answer("Bees  danse in front of the hive each day."), "copies_input"),
]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("answer", "reason"), REJECTED)
async def test_a_bad_response_is_rejected_alone(mode: str, answer: Answer, reason: str) -> None:
    rows = [instruction(name, given="Bees danse in front of the hive each day.") for name in "abc"]
    outcome = await ask(mode, rows, Scripted({"b": answer}))
    assert [row.id for row in outcome.kept] == ["a", "c"]
    (dropped,) = outcome.rejected
    assert (dropped.id, dropped.phase, dropped.reason) == ("b", PHASE, reason)
    assert (dropped.document_id, dropped.detail) == ("dance", f"mathematics {mode}")
    assert dropped.text == "\n".join([rows[1].instruction, rows[1].input]) + (
        f"\n\n{answer.text.strip()}" if answer.text.strip() else ""
    )
    assert outcome.candidates == 3


@pytest.mark.parametrize(
    ("min_score", "retrieved"),
    [(0.0, ("hive", "wax", "whales")), (0.5, ("hive", "wax")), (0.7, ("hive",))],
)
@pytest.mark.parametrize("mode", ["rag", "rag+"])
async def test_min_score_bounds_what_is_retrieved(mode: str, min_score: float, retrieved: tuple[str, ...]) -> None:
    (row,) = (await ask(mode, [instruction()], min_score=min_score)).kept
    assert row.retrieved == retrieved


@pytest.mark.parametrize(
    ("mode", "own_document", "retrieved"),
    [
        ("rag", False, ("hive", "wax")),
        ("rag", True, ("dance", "hive")),
        ("rag+", False, ("hive", "wax")),
        ("rag+", True, ("hive", "wax")),  # it stands in the prompt anyway
    ],
)
async def test_the_own_document_is_retrieved_only_where_it_is_wanted(
    mode: str, own_document: bool, retrieved: tuple[str, ...]
) -> None:
    teacher = Scripted()
    (row,) = (await ask(mode, [instruction()], teacher, own_document=own_document, retrieve=2)).kept
    assert row.retrieved == retrieved
    assert teacher.asked[0].text.count(TEXTS["dance"]) == int(own_document or mode == "rag+")


async def test_rag_without_a_near_document_is_rejected_unasked_and_alone() -> None:
    teacher = Scripted()
    rows = [instruction("a", "hive"), instruction("b", "dance"), instruction("c", "wax")]
    outcome = await ask("rag", rows, teacher, min_score=0.9)
    assert [row.id for row in outcome.kept] == ["a", "c"]  # they find `dance`, from which b was written
    assert [(row.id, row.reason) for row in outcome.rejected] == [("b", "no_context")]
    assert [request.row_id for request in teacher.asked] == ["a", "c"]


async def test_rag_plus_without_a_near_document_still_has_its_own() -> None:
    teacher = Scripted()
    (row,) = (await ask("rag+", [instruction()], teacher, min_score=0.9)).kept
    assert row.retrieved == ()
    assert [name for name in DOCUMENTS if TEXTS[name] in teacher.asked[0].text] == ["dance"]


@pytest.mark.parametrize("mode", ["rag", "rag+"])
async def test_retrieval_goes_by_the_rows_own_vector(mode: str) -> None:
    vectors = np.array([[0, 1], [1, 0]], np.float32)
    rows = [instruction("a", "dance"), instruction("b", "whales")]
    settings = make_settings({"responses": {"retrieve": 1}})
    outcome = await respond(rows, vectors, library(), mode, Scripted(), settings)
    assert [row.retrieved for row in outcome.kept] == [("whales",), ("dance",)]


@pytest.mark.parametrize("mode", ["document", "rag+"])
async def test_without_any_document_a_mode_with_documents_has_no_context(mode: str) -> None:
    teacher = Scripted()
    rows = [instruction("a", "whales"), instruction("b", "lost")]
    outcome = await ask(mode, rows, teacher, library(["whales"]), min_score=0.5)
    assert [(row.id, row.reason) for row in outcome.rejected] == [("b", "no_context")]
    assert [request.row_id for request in teacher.asked] == ["a"]


@pytest.mark.parametrize("mode", MODES)
async def test_answers_stay_with_their_rows_and_counts_are_conserved(mode: str) -> None:
    rows = [instruction(f"i{n}") for n in range(7)]
    script = {f"i{n}": Answer(f"Answer number {n}." if n % 3 else "") for n in range(7)}
    outcome = await ask(mode, rows, Scripted(script))
    assert {row.id: row.output for row in outcome.kept} == {f"i{n}": f"Answer number {n}." for n in (1, 2, 4, 5)}
    assert outcome.reasons == {"empty": 3}
    assert outcome.candidates == 7


@pytest.mark.parametrize("mode", MODES)
async def test_no_instructions_no_examples(mode: str) -> None:
    outcome = await ask(mode, [])
    assert (outcome.kept, outcome.rejected, outcome.candidates) == ([], [], 0)


@pytest.mark.parametrize("mode", MODES)
async def test_an_augmented_row_is_named_so_in_its_rejection(mode: str) -> None:
    outcome = await ask(mode, [replace(instruction(), task_type="")], Scripted({"i": Answer("")}))
    assert outcome.rejected[0].detail == f"augmented {mode}"


def test_direct_responses_are_not_asked_of_a_teacher_that_answers_only_from_documents() -> None:
    for mode in ("auto", *MODES):
        require_mode(make_settings({"responses": {"mode": mode}}), needs_context=False)
    for mode in ("auto", "document", "rag", "rag+"):
        require_mode(make_settings({"responses": {"mode": mode}}), needs_context=True)
    with pytest.raises(
        BadSettings, match=r"^responses\.mode=direct: the teacher extractive answers only from documents"
    ):
        require_mode(make_settings({"responses": {"mode": "direct"}}), needs_context=True)


def test_auto_is_direct_or_rag_plus_and_a_named_mode_is_itself() -> None:
    assert response_mode(Settings(), needs_context=False) == "direct"
    assert response_mode(Settings(), needs_context=True) == "rag+"
    for mode in MODES:
        assert {response_mode(make_settings({"responses": {"mode": mode}}), needs) for needs in (True, False)} == {mode}
