"""Which segments stay: rules, duplicates, personal data, verdicts."""

from __future__ import annotations

from fanno_core.outcome import Outcome
from fanno_core.screening import verdicts as verdicts_of
from fanno_core.screening.duplicates import drop_duplicates
from fanno_core.screening.personal_data import mask_rejected, treat_personal_data
from fanno_core.screening.rules import apply_rules
from fanno_core.screening.verdicts import judge_documents
from fanno_core.store.contracts import Document
from tasks.phase import Job, Phase, phase_task

RULES = Phase(
    "rules",
    version=2,
    contract=Document,
    settings=(
        "screen.min_words",
        "screen.max_words",
        "screen.languages",
        "screen.min_letters",
        "screen.max_repetition",
        "screen.max_boilerplate",
        "screen.require_licence",
        "screen.licences",
        "screen.personal_data",
    ),
)
DUPLICATES = Phase(
    "duplicates", version=2, contract=Document, settings=("screen.near_duplicate", "screen.personal_data")
)
PRIVACY = Phase("privacy", version=2, contract=Document, settings=("screen.personal_data",))
VERDICTS = Phase(
    "verdicts",
    version=1,
    contract=Document,
    settings=("screen.min_quality", "screen.max_advertisement", "screen.max_privacy"),
    prompts=verdicts_of.PROMPTS,
    asks_teacher=True,
)


@phase_task(RULES)
async def rules(job: Job) -> Outcome[Document]:
    """Holds each segment of a shard against the rules."""
    outcome = apply_rules(job.rows("documents", Document), job.settings.screen)
    return mask_rejected(outcome, job.settings.screen)


@phase_task(DUPLICATES)
async def duplicates(job: Job) -> Outcome[Document]:
    """Finds exact and near duplicates over all shards."""
    outcome = drop_duplicates(job.rows("documents", Document), job.settings.screen)
    return mask_rejected(outcome, job.settings.screen)


@phase_task(PRIVACY)
async def privacy(job: Job) -> Outcome[Document]:
    """Finds personal data, and rejects or masks it."""
    return treat_personal_data(job.rows("documents", Document), job.settings.screen)


@phase_task(VERDICTS)
async def verdicts(job: Job) -> Outcome[Document]:
    """Asks the teacher for its three verdicts."""
    return await judge_documents(job.rows("documents", Document), job.teacher, job.settings.screen)
