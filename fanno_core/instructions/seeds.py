"""Seed instructions: the tag pool asked of the first documents of the queue."""

from __future__ import annotations

from collections.abc import Sequence

from fanno_core.instructions.drafts import VERDICT_PROMPTS, Draft, write_instructions
from fanno_core.instructions.tags import tags_for
from fanno_core.outcome import Outcome
from fanno_core.settings import Settings
from fanno_core.store.contracts import Instruction, Placed
from fanno_core.teachers.protocol import Sampling, Teacher

PHASE = "seeds"
PROMPT = "seed_instruction"
PROMPTS = (PROMPT, *VERDICT_PROMPTS)


async def write_seeds(documents: Sequence[Placed], teacher: Teacher, settings: Settings) -> Outcome[Instruction]:
    """Instructions for each document and each of its tag combinations, as far as they pass the filters.

    Raises:
        TryAgain, RunStops: from the teacher.

    Source: stage 2a of FANNO's published code; 4 characteristics x 12 task types x 2 forms a document.
    """
    drafts = [draft for document in documents for draft in seed_drafts(document, settings)]
    return await write_instructions(drafts, teacher, seed_sampling(settings), settings.filters, PHASE)


def seed_drafts(document: Placed, settings: Settings) -> list[Draft]:
    """One prompt for each tag combination that the document is asked for."""
    return [
        Draft(
            prompt=PROMPT,
            values={"document": document.text, **tags.values()},
            document=document,
            iteration=0,
            characteristic=tags.characteristic.key,
            task_type=tags.task_type.key,
            form=tags.form.key,
        )
        for tags in tags_for(document.id, settings.seeds.per_document, settings.run.seed)
    ]


def seed_sampling(settings: Settings) -> Sampling:
    """How seeds are drawn."""
    how = settings.seeds
    return Sampling(how.max_tokens, how.temperature, how.top_p, settings.run.seed)
