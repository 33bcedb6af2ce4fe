from __future__ import annotations

import hashlib
import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field

import numpy as np
import pytest
from pydantic import ValidationError

from fanno_core.errors import RunStops
from fanno_core.instructions.augmentation import (
    OPENING_WORDS,
    PHASE,
    THINK_DIFFERENT,
    WITHOUT_EXAMPLES,
    Pool,
    augment_window,
)
from fanno_core.instructions.bandit import child_reward
from fanno_core.instructions.tags import form_rules
from fanno_core.outcome import Outcome
from fanno_core.responses import direct
from fanno_core.settings import Augment, Settings, make_settings
from fanno_core.store.contracts import Floats, Instruction, Placed, SeedState, Vector, question_of
from fanno_core.teachers.protocol import Answer, Request
from tests.scripted import ScriptedTeacher

RESPONSE_WORDS = 5


@dataclass
class Scripted(ScriptedTeacher):
    """A teacher that asks about the document's id, unless scripted otherwise, and finds all of it good."""

    written: Mapping[str, str] = field(default_factory=dict)
    asked: list[Request] = field(default_factory=list)

    def reply(self, request: Request) -> Answer:
        if request.choices:
            return Answer("", probability=0.8 if request.prompt == "instruction_answerable" else 0.1)
        if request.prompt == direct.PROMPT:
            return Answer("word " * RESPONSE_WORDS)
        return Answer(self.written.get(request.document_id, f"Explain how {request.document_id} works."))

    @property
    def drafts(self) -> list[Request]:
        return [request for request in self.asked if request.prompt in {THINK_DIFFERENT, WITHOUT_EXAMPLES}]

    @property
    def answered(self) -> list[str]:
        return [request.row_id for request in self.asked if request.prompt == direct.PROMPT]


def encode(texts: Sequence[str]) -> Floats:
    """A unit vector for each text, the same for the same text, far from all others; for none, what the encoder has."""
    if not texts:
        return np.zeros((0, 0), np.float32)
    seeds = [int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") for text in texts]
    vectors = np.stack([np.random.default_rng(seed).standard_normal(64) for seed in seeds])
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def window(count: int) -> list[Placed]:
    return [
        Placed(f"doc{n:02d}", "c", 1, 0, n, 0, f"Document {n} is about bees.", "bees.txt", str(n), "", 6, 0.9)
        for n in range(count)
    ]


def pool_of(count: int, words: int = 8) -> Pool:
    rows = [
        Instruction(
            id=f"seed{n:03d}",
            instruction=" ".join(f"seed{n:03d}w{word}" for word in range(words)) + ".",
            input="and its input" if n % 2 else "",
            document_id="d",
            source="s",
            licence="",
            community="c",
            topic=0,
            iteration=0,
            characteristic="",
            task_type="",
            form="imperative",
        )
        for n in range(count)
    ]
    states = [SeedState(row.id, n % 3, (n % 3) / 4, 10 + n) for n, row in enumerate(rows)]
    return Pool({row.id: row for row in rows}, encode([question_of(row) for row in rows]), states)


async def augment(
    documents: Sequence[Placed], pool: Pool, teacher: Scripted, settings: Settings | None = None, iteration: int = 1
) -> Outcome[Instruction]:
    return await augment_window(documents, pool, iteration, teacher, encode, settings or Settings())


def states_of(outcome: Outcome[Instruction]) -> dict[str, SeedState]:
    contract, states = outcome.extras["bandit"]
    assert contract is SeedState
    assert len({state.seed_id for state in states}) == len(states)
    return {state.seed_id: state for state in states}


def shown_to(teacher: Scripted, pool: Pool) -> dict[str, list[str]]:
    """Ids of the seeds that each document's prompt shows, in its order; each is known by its first word."""
    ids = {row.instruction.split()[0]: row.id for row in pool.instructions.values()}
    return {
        request.document_id: [
            ids[line.split()[1]] for line in request.fields["counterexamples"].split("\n") if line[:1].isdigit()
        ]
        for request in teacher.drafts
    }


async def test_each_document_is_asked_once_in_the_order_of_the_queue() -> None:
    teacher = Scripted()
    outcome = await augment(window(12), pool_of(40), teacher, iteration=4)
    assert [request.document_id for request in teacher.drafts] == [f"doc{n:02d}" for n in range(12)]
    assert sorted(row.document_id for row in outcome.kept) == [f"doc{n:02d}" for n in range(12)]
    assert {row.iteration for row in outcome.kept} == {4}
    assert {(row.characteristic, row.task_type) for row in outcome.kept} == {("", "")}
    assert outcome.candidates == 12


@pytest.mark.parametrize(("ifd", "earned"), [(0.25, 0.25), (1.0, 1.0), (1.5, 0.0), (math.nan, 0.0)])
async def test_a_bandit_may_learn_from_how_hard_children_are_to_follow(ifd: float, earned: float) -> None:
    teacher, pool, seen = Scripted(), pool_of(3), []

    def difficulty(rows: Sequence[tuple[str, str, str]]) -> list[float]:
        seen.extend(rows)
        return [ifd] * len(rows)

    settings = Settings(augment=Augment(bandit="ifd", ifd_model="tiny"))
    outcome = await augment_window(window(1), pool, 1, teacher, encode, settings, difficulty)
    (child,) = outcome.kept
    assert seen == [(child.instruction, child.input, "word " * RESPONSE_WORDS)]
    after = states_of(outcome)
    for state in pool.states:  # each prompt shows all three
        assert after[state.seed_id].reward == pytest.approx(state.reward + child_reward(True, earned))


def test_a_bandit_that_learns_from_ifd_needs_a_model() -> None:
    with pytest.raises(ValidationError, match="needs ifd_model"):
        Augment(bandit="ifd")


async def test_counterexamples_are_shown_recorded_and_named_by_their_openings() -> None:
    teacher, pool = Scripted(), pool_of(40)
    outcome = await augment(window(12), pool, teacher)
    shown = shown_to(teacher, pool)
    assert {row.document_id: list(row.counterexamples) for row in outcome.kept} == shown
    assert all(len(set(seeds)) == 3 for seeds in shown.values())
    for request in teacher.drafts:
        assert request.prompt == THINK_DIFFERENT
        for number, seed in enumerate(shown[request.document_id], 1):
            words = question_of(pool.instructions[seed]).split()
            assert f"\n{number}. {' '.join(words)}" in request.text
            assert f'"{" ".join(words[:OPENING_WORDS])}"' in request.text


async def test_a_row_has_the_form_whose_rule_its_prompt_gives() -> None:
    teacher = Scripted()
    outcome = await augment(window(30), pool_of(40), teacher)
    rules = {request.document_id: request.fields["form_rule"] for request in teacher.drafts}
    assert {row.document_id: form_rules()[row.form] for row in outcome.kept} == rules
    assert {row.form for row in outcome.kept} == set(form_rules())


@pytest.mark.parametrize(("words", "limit"), [(150, 100), (100, 100), (9, 4)])
async def test_a_long_seed_is_shown_cut_and_stored_whole(words: int, limit: int) -> None:
    teacher, pool = Scripted(), pool_of(6, words)
    before = deepcopy(dict(pool.instructions))
    await augment(window(4), pool, teacher, make_settings({"augment": {"shot_words": limit}}))
    for request in teacher.drafts:
        for shown in request.fields["counterexamples"].split("\n"):
            assert len(shown.split()) == 1 + limit  # the number, and the words
    assert pool.instructions == before
    assert {len(row.instruction.split()) for row in pool.instructions.values()} == {words}


async def test_states_count_what_was_shown_and_earn_what_children_achieve() -> None:
    teacher, pool = Scripted({"doc01": "", "doc02": "Bees dance"}), pool_of(40)
    outcome = await augment(window(10), pool, teacher)
    assert {row.document_id for row in outcome.rejected} == {"doc01", "doc02"}
    shown = shown_to(teacher, pool)
    times = Counter(seed for seeds in shown.values() for seed in seeds)
    rewards = dict.fromkeys(shown, 0.0)
    for row in outcome.kept:
        rewards[row.document_id] = child_reward(True, row.answerable * (1 - max(row.similarity, 0.0)))
    assert sorted(rewards.values())[:3] == [0.0, 0.0, pytest.approx(0.8, abs=0.15)]
    after = states_of(outcome)
    for state in pool.states:
        earned = sum(rewards[child] for child, seeds in shown.items() if state.seed_id in seeds)
        assert after[state.seed_id].shown == state.shown + times[state.seed_id]
        assert after[state.seed_id].reward == pytest.approx(state.reward + earned)
        assert after[state.seed_id].length == state.length


async def test_without_verdicts_children_earn_by_their_novelty_alone() -> None:
    pool = pool_of(3)
    outcome = await augment(window(1), pool, Scripted(), make_settings({"filters": {"judge": False}}))
    (child,) = outcome.kept
    assert child.answerable == -1
    after = states_of(outcome)
    for state in pool.states:
        reward = child_reward(True, 1 - max(child.similarity, 0.0))
        assert after[state.seed_id].reward == pytest.approx(state.reward + reward)


async def test_new_seeds_join_with_nothing_shown_and_nothing_earned() -> None:
    teacher, pool = Scripted(), pool_of(40)
    outcome = await augment(window(5), pool, teacher)
    after = states_of(outcome)
    new = {row.id: SeedState(row.id, 0, 0.0, 0) for row in outcome.kept}
    assert set(after) == {*pool.instructions, *new}
    assert {seed: after[seed] for seed in new} == new
    assert teacher.answered == []
    contract, vectors = outcome.extras["vectors"]
    assert contract is Vector
    assert [row.id for row in vectors] == [row.id for row in outcome.kept]
    expected = encode([question_of(row) for row in outcome.kept])
    assert all((row.vector == vector).all() for row, vector in zip(vectors, expected, strict=True))


async def test_what_repeats_the_pool_or_the_window_is_rejected_and_earns_nothing() -> None:
    pool = pool_of(3)
    old = question_of(pool.instructions["seed000"])
    teacher = Scripted({"doc00": old, "doc01": "Explain how bees dance.", "doc02": "Explain how bees dance."})
    outcome = await augment(window(3), pool, teacher)
    assert outcome.reasons == {"not_novel": 2}
    assert {row.phase for row in outcome.rejected} == {PHASE}
    (child,) = outcome.kept
    assert child.document_id in {"doc01", "doc02"}
    # With three seeds each prompt shows all of them, so each earned the reward of the one child that stayed.
    reward = child_reward(True, child.answerable * (1 - max(child.similarity, 0.0)))
    after = states_of(outcome)
    for state in pool.states:
        assert after[state.seed_id].shown == state.shown + 3
        assert after[state.seed_id].reward == pytest.approx(state.reward + reward)


@pytest.mark.parametrize("bandit", ["default", "published"])
async def test_selection_none_shows_no_examples(bandit: str) -> None:
    teacher, pool = Scripted(), pool_of(40)
    outcome = await augment(
        window(5), pool, teacher, make_settings({"augment": {"selection": "none", "bandit": bandit}})
    )
    assert {request.prompt for request in teacher.drafts} == {WITHOUT_EXAMPLES}
    assert not any(re.search(r"seed\d", request.text) for request in teacher.drafts)
    assert [row.counterexamples for row in outcome.kept] == [()] * 5
    assert [states_of(outcome)[state.seed_id] for state in pool.states] == list(pool.states)
    assert teacher.answered == []


async def test_random_selection_asks_for_no_lengths() -> None:
    teacher = Scripted()
    settings = make_settings({"augment": {"selection": "random", "bandit": "published"}})
    outcome = await augment(window(5), pool_of(4), teacher, settings)
    assert all(len(set(row.counterexamples)) == 3 for row in outcome.kept)
    assert teacher.answered == []


async def test_the_published_bandit_asks_for_the_length_of_each_new_seeds_response() -> None:
    teacher = Scripted({"doc01": ""})
    outcome = await augment(window(5), pool_of(60), teacher, make_settings({"augment": {"bandit": "published"}}))
    assert teacher.answered == [row.id for row in outcome.kept]
    assert len(outcome.kept) == 4
    after = states_of(outcome)
    assert {after[row.id].length for row in outcome.kept} == {RESPONSE_WORDS}


async def test_the_published_bandit_stops_the_run_before_asking_where_seeds_are_too_few() -> None:
    teacher = Scripted()
    with pytest.raises(RunStops, match="59 seeds"):
        await augment(window(5), pool_of(59), teacher, make_settings({"augment": {"bandit": "published"}}))
    assert teacher.asked == []


@pytest.mark.parametrize("count", [0, 1, 2, 3, 59])
async def test_the_default_bandit_works_with_any_number_of_seeds(count: int) -> None:
    teacher, pool = Scripted(), pool_of(count)
    outcome = await augment(window(4), pool, teacher)
    assert len(outcome.kept) == 4
    assert {len(row.counterexamples) for row in outcome.kept} == {min(3, count)}
    assert {request.prompt for request in teacher.drafts} == {THINK_DIFFERENT if count else WITHOUT_EXAMPLES}
    assert len(states_of(outcome)) == count + 4


@pytest.mark.parametrize("count", [0, 4])
async def test_a_window_without_survivors_leaves_the_pool_as_it_was(count: int) -> None:
    documents, pool = window(count), pool_of(3)
    teacher = Scripted({document.id: "" for document in documents})
    outcome = await augment(documents, pool, teacher)
    assert (list(outcome.kept), outcome.candidates) == ([], count)
    assert outcome.extras["vectors"] == (Vector, [])
    expected = [SeedState(state.seed_id, state.shown + count, state.reward, state.length) for state in pool.states]
    assert list(states_of(outcome).values()) == expected


async def test_a_window_is_repeatable_and_each_window_draws_anew() -> None:
    async def texts(iteration: int, seed: int = 42) -> list[str]:
        teacher = Scripted()
        await augment(window(12), pool_of(200), teacher, make_settings({"run": {"seed": seed}}), iteration)
        return [request.text for request in teacher.drafts]

    first = await texts(1)
    assert await texts(1) == first
    assert await texts(2) != first
    assert await texts(1, seed=43) != first
