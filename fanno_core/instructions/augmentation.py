"""Think Different: one more instruction from each document of a window, unlike the counterexamples it is shown."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from fanno_core.instructions.bandit import Bandit, child_reward, open_bandit, update
from fanno_core.instructions.drafts import VERDICT_PROMPTS, Draft, write_instructions
from fanno_core.instructions.novelty import keep_novel
from fanno_core.instructions.tags import form_rules
from fanno_core.outcome import Outcome
from fanno_core.responses.direct import direct_responses, response_lengths
from fanno_core.settings import Augment, Settings
from fanno_core.store.contracts import Floats, Instruction, Placed, SeedState, question_of
from fanno_core.teachers.protocol import Sampling, Teacher

Difficulty = Callable[[Sequence[tuple[str, str, str]]], Sequence[float]]
"""IFD by loss of instruction, input and response, for each; NaN where there is none."""

PHASE = "augment"
THINK_DIFFERENT = "think_different"
WITHOUT_EXAMPLES = "augment_without_examples"
PROMPTS = (THINK_DIFFERENT, WITHOUT_EXAMPLES, *VERDICT_PROMPTS)
OPENING_WORDS = 4


@dataclass(frozen=True)
class Pool:
    """Every instruction kept so far, its vectors `[n, d]`, and what the bandit knows of each."""

    instructions: Mapping[str, Instruction]
    vectors: Floats
    states: Sequence[SeedState]


@dataclass(frozen=True, slots=True)
class Choice:
    """What varies from prompt to prompt: the form asked for, and the ids of the counterexamples."""

    form: str
    counterexamples: tuple[str, ...]


async def augment_window(
    documents: Sequence[Placed],
    pool: Pool,
    iteration: int,
    teacher: Teacher,
    encode: Callable[[Sequence[str]], Floats],
    settings: Settings,
    difficulty: Difficulty | None = None,
) -> Outcome[Instruction]:
    """New instructions from one window of documents, each document used once.

    Args:
        documents: the window, in the order of the queue.
        pool: what was kept before.
        iteration: number of the window, from 1.
        teacher: who writes and judges.
        encode: texts to unit vectors.
        settings: all settings.
        difficulty: IFD of instructions with their responses, for a bandit that learns from it.

    Returns:
        The kept instructions; extra tables are their `vectors` and `bandit`, the states after the window.

    Raises:
        TryAgain, RunStops: from the teacher.

    Source: stage 2b of FANNO's published code.
    """
    bandit = open_bandit(pool.states, settings.augment)
    choices = choices_of_window(bandit, len(documents), iteration, settings.run.seed)
    drafts = [
        draft_of(document, choice, pool.instructions, iteration, settings.augment)
        for document, choice in zip(documents, choices, strict=True)
    ]
    written = await write_instructions(drafts, teacher, augment_sampling(settings), settings.filters, PHASE)
    vectors = encode([question_of(row) for row in written.kept])
    novel = keep_novel(written.kept, vectors, pool.vectors, settings.filters.novelty, PHASE)
    hardness = await _hardness(novel.kept, teacher, difficulty, settings) if difficulty else None
    states = rewarded(bandit.states(), drafts, novel.kept, hardness)
    new = await seed_states(novel.kept, teacher, settings)
    return replace(
        novel,
        rejected=[*written.rejected, *novel.rejected],
        candidates=written.candidates,
        extras={**novel.extras, "bandit": (SeedState, [*states, *new])},
    )


def choices_of_window(bandit: Bandit, documents: int, iteration: int, seed: int) -> list[Choice]:
    """What is chosen for each of a window's documents, in their order; the bandit counts what it shows.

    Args:
        bandit: opened for this window.
        documents: how many there are.
        iteration: number of the window, from 1.
        seed: of the run.
    """
    rng = random.Random(f"{seed}:augment:{iteration}")
    return [Choice(rng.choice(list(form_rules())), tuple(bandit.choose(rng))) for _ in range(documents)]


def draft_of(
    document: Placed, choice: Choice, instructions: Mapping[str, Instruction], iteration: int, settings: Augment
) -> Draft:
    """The prompt for one more instruction from a document.

    Args:
        document: what it is written from.
        choice: its form, and the ids of its counterexamples.
        instructions: by id, the counterexamples among them.
        iteration: number of the window.
        settings: how much of a counterexample is shown.
    """
    values = {"document": document.text, "form_rule": form_rules()[choice.form]}
    if not choice.counterexamples:
        return Draft(WITHOUT_EXAMPLES, values, document, iteration, form=choice.form)
    texts = [_shortened(instructions[shot], settings.shot_words) for shot in choice.counterexamples]
    values |= {
        "openings": ", ".join(f'"{" ".join(text.split()[:OPENING_WORDS])}"' for text in texts),
        "counterexamples": "\n".join(f"{number}. {text}" for number, text in enumerate(texts, 1)),
    }
    return Draft(THINK_DIFFERENT, values, document, iteration, form=choice.form, counterexamples=choice.counterexamples)


def rewarded(
    states: Sequence[SeedState],
    drafts: Sequence[Draft],
    kept: Sequence[Instruction],
    hardness: Sequence[float] | None = None,
) -> list[SeedState]:
    """States after each counterexample got the reward of the child that it helped to write.

    Args:
        states: of the seeds, with what was shown counted.
        drafts: of the window, one a document.
        kept: the children that passed every filter.
        hardness: of each of them, in [0, 1], where that is what a child earns.
    """
    scores = hardness if hardness is not None else [_promise(row) for row in kept]
    score = {row.document_id: value for row, value in zip(kept, scores, strict=True)}
    shown = {draft.document.id: draft.counterexamples for draft in drafts}
    rewards = {child: child_reward(child in score, score.get(child, 0.0)) for child in shown}
    return update(states, shown, rewards)


def _promise(row: Instruction) -> float:
    """How answerable and how new a child is; where no verdict was asked for, novelty alone decides."""
    return (row.answerable if row.answerable >= 0 else 1.0) * (1 - max(row.similarity, 0.0))


async def _hardness(
    rows: Sequence[Instruction], teacher: Teacher, difficulty: Difficulty, settings: Settings
) -> list[float]:
    """IFD of each child with its direct response, in [0, 1]; 0 where the instruction misleads or nothing is scored."""
    texts = await direct_responses(rows, teacher, augment_sampling(settings))
    scores = difficulty([(row.instruction, row.input, text) for row, text in zip(rows, texts, strict=True)])
    # Rounded, since a batch's last digits depend on its company.
    return [round(score, 6) if 0 <= score <= 1 else 0.0 for score in scores]


async def seed_states(rows: Sequence[Instruction], teacher: Teacher, settings: Settings) -> list[SeedState]:
    """First states of new seeds. The published bandit rates a seed by the length of its direct response."""
    needs_length = settings.augment.bandit == "published" and settings.augment.selection == "ucb"
    lengths = await response_lengths(rows, teacher, augment_sampling(settings)) if needs_length else [0] * len(rows)
    return [SeedState(row.id, 0, 0.0, length) for row, length in zip(rows, lengths, strict=True)]


def augment_sampling(settings: Settings) -> Sampling:
    """How instructions of augmentation are drawn."""
    how = settings.augment
    return Sampling(how.max_tokens, how.temperature, how.top_p, settings.run.seed)


def _shortened(row: Instruction, words: int) -> str:
    """A counterexample as the prompt shows it; the stored instruction stays as it is."""
    return " ".join(question_of(row).split()[:words])
