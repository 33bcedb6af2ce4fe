from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from fanno_core.instructions.drafts import VERDICT_PROMPTS
from fanno_core.instructions.seeds import PHASE, PROMPT, PROMPTS, write_seeds
from fanno_core.instructions.tags import tag_pool
from fanno_core.settings import Settings, make_settings
from fanno_core.store.contracts import Placed
from fanno_core.teachers.protocol import Answer, Request, Sampling
from tests.scripted import ScriptedTeacher

TAGS = ("characteristic", "task_type", "form")


@dataclass
class Writer(ScriptedTeacher):
    """A teacher that writes one instruction for each tag combination and finds each of them good."""

    refused: str = ""
    asked: list[Request] = field(default_factory=list)

    def reply(self, request: Request) -> Answer:
        if request.choices:
            return Answer("", probability=float(request.prompt == "instruction_answerable"))
        tags = " and ".join(request.fields[tag] for tag in TAGS)
        return Answer("" if request.fields["task_type"] == self.refused else f"Write about {tags}.")

    @property
    def drafts(self) -> list[Request]:
        return [request for request in self.asked if not request.choices]


def placed(name: str) -> Placed:
    return Placed(name, "c", 1, 0, 0, 0, f"The document {name} is about bees.", "bees.txt", "0", "", 6, 0.9)


def pool_keys() -> list[tuple[str, ...]]:
    return [(tags.characteristic.key, tags.task_type.key, tags.form.key) for tags in tag_pool()]


def keys(requests: Sequence[Request]) -> list[tuple[str, ...]]:
    return [tuple(request.fields[tag] for tag in TAGS) for request in requests]


def sampled(count: int, seed: int = 42) -> Settings:
    return make_settings({"seeds": {"per_document": count}, "run": {"seed": seed}})


async def test_each_document_is_asked_for_all_96_combinations_in_the_order_of_the_pool() -> None:
    teacher = Writer()
    outcome = await write_seeds([placed("a"), placed("b")], teacher, Settings())
    assert [request.document_id for request in teacher.drafts] == ["a"] * 96 + ["b"] * 96
    assert keys(teacher.drafts) == pool_keys() * 2
    assert outcome.candidates == len(outcome.kept) == 192
    assert len({row.id for row in outcome.kept}) == 192
    assert [(row.characteristic, row.task_type, row.form) for row in outcome.kept] == pool_keys() * 2
    assert {(row.iteration, row.counterexamples) for row in outcome.kept} == {(0, ())}


@pytest.mark.parametrize("count", [1, 12, 24, 40])
async def test_a_smaller_number_is_a_balanced_sample_in_the_order_of_the_pool(count: int) -> None:
    teacher = Writer()
    documents = [placed("a"), placed("b")]
    await write_seeds(documents, teacher, sampled(count))
    for document in documents:
        drawn = keys([request for request in teacher.drafts if request.document_id == document.id])
        assert len(drawn) == len(set(drawn)) == count
        assert drawn == [tags for tags in pool_keys() if tags in drawn]
        for axis, size in enumerate((4, 12, 2)):
            found = Counter(tags[axis] for tags in drawn).values()
            assert max(found) - (min(found) if len(found) == size else 0) <= 1


async def test_the_sample_depends_on_seed_and_document_alone() -> None:
    together, alone, otherwise = Writer(), Writer(), Writer()
    await write_seeds([placed("a"), placed("b")], together, sampled(12))
    await write_seeds([placed("b")], alone, sampled(12))
    await write_seeds([placed("b")], otherwise, sampled(12, seed=43))
    assert alone.drafts == together.drafts[12:]
    assert keys(otherwise.drafts) != keys(alone.drafts)


async def test_what_is_asked_is_the_seed_prompt_with_document_and_tags() -> None:
    teacher = Writer()
    settings = make_settings({"seeds": {"max_tokens": 50, "temperature": 0.7, "top_p": 0.5}, "run": {"seed": 7}})
    await write_seeds([placed("a")], teacher, settings)
    for request, tags in zip(teacher.drafts, tag_pool(), strict=True):
        assert request.prompt == PROMPT
        assert request.sampling == Sampling(50, 0.7, 0.5, 7)
        assert "The document a is about bees." in request.text
        for tag in (tags.characteristic, tags.task_type, tags.form):
            assert f"{tag.key}. {tag.description}" in request.text
    assert {request.prompt for request in teacher.asked} == set(PROMPTS) == {PROMPT, *VERDICT_PROMPTS}


async def test_prompts_of_a_document_share_their_beginning_up_to_its_end() -> None:
    teacher = Writer()
    await write_seeds([placed("a")], teacher, Settings())
    first = teacher.drafts[0].text
    shared = first[: first.index("Task type:")]
    assert "The document a is about bees." in shared
    assert all(request.text.startswith(shared) for request in teacher.drafts)


async def test_what_falls_is_rejected_by_this_phase_with_its_tags() -> None:
    outcome = await write_seeds([placed("a")], Writer(refused="mathematics"), Settings())
    assert len(outcome.kept) == 88
    assert [(row.phase, row.reason, row.detail.split()[0]) for row in outcome.rejected] == [
        (PHASE, "empty", "mathematics")
    ] * 8


async def test_no_documents_no_seeds() -> None:
    outcome = await write_seeds([], Writer(), Settings())
    assert (list(outcome.kept), outcome.candidates) == ([], 0)
