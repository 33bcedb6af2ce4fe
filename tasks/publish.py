"""The data set."""

from __future__ import annotations

from dataclasses import asdict

from fanno_core.dataset.card import Provenance
from fanno_core.dataset.publish import publish_dataset
from fanno_core.responses.answers import response_mode
from fanno_core.store.contracts import Example
from fanno_core.store.ledger import Entry
from tasks.phase import Job, Phase, phase_task
from tasks.run import Run, Shards
from tasks.teachers import needs_context, teacher_name

PHASE = Phase(
    "publish",
    version=1,
    contract=Example,
    settings=("publish", "screen.languages", "run.seed"),
    asks_teacher=True,
    encodes=True,
)


@phase_task(PHASE)
async def publish(job: Job) -> Entry:
    """Writes the data set, its card and its manifest."""
    rows = job.rows("examples", Example)
    settings = job.settings
    provenance = Provenance(
        teacher=teacher_name(settings),
        encoder=job.encoder.identity,
        mode=response_mode(settings, needs_context(settings)),
        seed=settings.run.seed,
        languages=settings.screen.languages,
        funnel=job.part["funnel"],
    )
    kept, others = publish_dataset(rows, job.store.out, settings.publish, provenance)
    return Entry(PHASE.name, job.key, len(rows), len(rows), kept, (), others)


def publish_job(examples: Shards, run: Run) -> Job:
    """The job of publishing these rows; the funnel is part of the card."""
    counts = ("name", "candidates", "rows_kept", "rejected")
    funnel = [{name: value for name, value in asdict(phase).items() if name in counts} for phase in run.records]
    mode = response_mode(run.settings, needs_context(run.settings))
    return run.job(PHASE, {"examples": examples}, {"funnel": funnel, "mode": mode})
