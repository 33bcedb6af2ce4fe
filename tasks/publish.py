"""The data set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from functools import partial
from typing import cast

from prefect.tasks import MaterializingTask

from fanno_core.dataset.card import DOCUMENTS, Provenance, how_made, run_command
from fanno_core.dataset.publish import publish_dataset
from fanno_core.documents.sources import BUILT_IN
from fanno_core.responses.answers import response_mode
from fanno_core.store.contracts import Example
from fanno_core.store.ledger import Entry
from fanno_core.teachers.licences import declared_licence
from tasks.assets import corpus_assets, dataset_asset, tell_of_dataset
from tasks.phase import Finished, Job, Phase, Step, phase_task
from tasks.run import Run, Shards
from tasks.teachers import needs_context, teacher_name

PHASE = Phase(
    "publish",
    version=4,
    contract=Example,
    settings=("publish", "screen.languages", "run.seed"),
    asks_teacher=True,
    encodes=True,
)


@phase_task(PHASE, kind=partial(MaterializingTask, assets=()), tell=lambda job: tell_of_dataset(job.store.out))
async def publish(job: Job) -> Entry:
    """Writes the data set, its card and its manifest."""
    settings = job.settings
    versions = job.part["phases"]
    rows = [replace(row, phases=phases_of(row, versions)) for row in job.rows("examples", Example)]
    provenance = Provenance(
        teacher=teacher_name(settings),
        teacher_licence=job.part["teacher_licence"],
        encoder=job.encoder.identity,
        mode=response_mode(settings, needs_context(settings)),
        seed=settings.run.seed,
        languages=settings.screen.languages,
        funnel=job.part["funnel"],
        command=job.part["command"],
        how=job.part["how"],
    )
    kept, others = publish_dataset(rows, job.store.out, settings.publish, provenance)
    return Entry(PHASE.name, job.key, len(rows), len(rows), kept, (), others)


def phases_of(row: Example, versions: Mapping[str, int]) -> str:
    """The phases that a row went through, with their versions, in order: seeds alone know nothing of augmentation."""
    others = {"augment"} if row.iteration == 0 else set()
    return " ".join(f"{name}@{version}" for name, version in versions.items() if name not in others)


def told_of(corpus: Sequence[str]) -> list[str]:
    """The corpus as a card may name it: its built-in parts, and one word for everything that lies on this machine."""
    return sorted({name if name in BUILT_IN else DOCUMENTS for name in corpus})


def publish_from(corpus: Sequence[str], run: Run) -> Step:
    """The phase, told to Prefect as what makes the data set from this corpus."""
    task = cast("MaterializingTask[[Job], Finished]", publish.task)
    made, of = dataset_asset(run.out, run.settings), corpus_assets(corpus)
    return replace(publish, task=task.with_options(assets=[made], asset_deps=[*of]))


def publish_job(examples: Shards, corpus: Sequence[str], run: Run) -> Job:
    """The job of publishing these rows; the funnel is part of the card, and the versions of the phases of the rows."""
    counts = ("name", "candidates", "rows_kept", "rejected")
    funnel = [{name: value for name, value in asdict(phase).items() if name in counts} for phase in run.records]
    mode = response_mode(run.settings, needs_context(run.settings))
    part = {
        "funnel": funnel,
        "mode": mode,
        "phases": dict(run.versions),
        "teacher_licence": declared_licence(run.settings.teacher),
        "command": run_command(run.settings, told_of(corpus)),
        "how": how_made(run.settings),
    }
    return run.job(PHASE, {"examples": examples}, part)
