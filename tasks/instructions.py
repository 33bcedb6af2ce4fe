"""Seeds, their novelty, and the windows of augmentation."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from fanno_core.instructions import augmentation
from fanno_core.instructions import seeds as seeds_of
from fanno_core.instructions.augmentation import Pool, augment_window, seed_states
from fanno_core.instructions.novelty import keep_novel
from fanno_core.instructions.seeds import write_seeds
from fanno_core.instructions.tags import form_rules, tag_pool
from fanno_core.outcome import Outcome
from fanno_core.responses import direct
from fanno_core.settings import Settings
from fanno_core.store.contracts import Instruction, Placed, SeedState, Vector, question_of
from tasks.phase import Job, Phase, phase_task, stack
from tasks.tools import difficulty_by, identity_of


def _whole(rows: list[Instruction], _settings: Settings) -> Mapping[str, list[Instruction]]:
    return {"window": rows} if rows else {}


JUDGED = ("filters.hard", "filters.judge", "filters.max_private", "filters.max_unsafe", "filters.min_answerable")
BANDIT = (
    "augment.selection",
    "augment.bandit",
    "augment.max_tokens",
    "augment.temperature",
    "augment.top_p",
    "run.seed",
)


def _scored_by(settings: Settings) -> str | None:
    """The model that the bandit learns from, where it does."""
    how = settings.augment
    return identity_of(how.ifd_model) if how.bandit == "ifd" and how.selection == "ucb" else None


SEEDS = Phase(
    "seeds",
    version=2,
    contract=Instruction,
    settings=(
        "seeds.per_document",
        "seeds.max_tokens",
        "seeds.temperature",
        "seeds.top_p",
        *JUDGED,
        "run.seed",
    ),
    prompts=seeds_of.PROMPTS,
    wording=lambda: [tags.values() for tags in tag_pool()],
    asks_teacher=True,
)
NOVELTY = Phase(
    "novelty",
    version=2,
    contract=Instruction,
    settings=("filters.novelty", *BANDIT),
    prompts=(direct.PROMPT,),
    asks_teacher=True,
    encodes=True,
)
AUGMENT = Phase(
    "augment",
    version=3,
    contract=Instruction,
    settings=(
        *BANDIT,
        "augment.weight",
        "augment.top_share",
        "augment.shots",
        "augment.shot_words",
        "filters",
    ),
    prompts=(*augmentation.PROMPTS, direct.PROMPT),
    wording=form_rules,
    options=_scored_by,
    asks_teacher=True,
    encodes=True,
    shards=_whole,
)


@phase_task(SEEDS)
async def seeds(job: Job) -> Outcome[Instruction]:
    """Asks for the tag combinations of a lot of documents."""
    return await write_seeds(job.rows("documents", Placed), job.teacher, job.settings)


@phase_task(NOVELTY)
async def novelty(job: Job) -> Outcome[Instruction]:
    """Drops seeds that are near-equal to better ones, and starts the bandit's record of the others.

    Where instructions are carried over from an earlier version, seeds are compared with these, too.
    """
    rows = job.rows("instructions", Instruction)
    vectors = job.encoder.encode([question_of(row) for row in rows])
    carried = [row.vector for row in job.rows("carried_vectors", Vector)] if "carried_vectors" in job.inputs else []
    pool = np.stack(carried) if carried else np.zeros((0, vectors.shape[1]), np.float32)
    outcome = keep_novel(rows, vectors, pool, job.settings.filters.novelty, NOVELTY.name)
    states = await seed_states(outcome.kept, job.teacher, job.settings)
    known = job.rows("bandit", SeedState) if "bandit" in job.inputs else []
    return outcome.with_extra("bandit", SeedState, [*known, *states])


@phase_task(AUGMENT)
async def augment(job: Job) -> Outcome[Instruction]:
    """Asks for one more instruction from each document of a window."""
    documents = sorted(job.rows("documents", Placed), key=lambda document: document.order)
    instructions = {row.id: row for row in job.rows("pool", Instruction)}
    pool = Pool(instructions, stack(job.vectors("vectors"), list(instructions)), job.rows("bandit", SeedState))
    how = job.settings.augment
    difficulty = difficulty_by(how.ifd_model) if how.bandit == "ifd" and how.selection == "ucb" else None
    return await augment_window(
        documents, pool, int(job.part["iteration"]), job.teacher, job.encoder.encode, job.settings, difficulty
    )
