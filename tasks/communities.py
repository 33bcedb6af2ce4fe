"""Encoding, communities, and the queue in which documents give instructions."""

from __future__ import annotations

from collections.abc import Mapping

from fanno_core.communities.representatives import choose_representatives
from fanno_core.outcome import Outcome
from fanno_core.settings import Settings
from fanno_core.store.contracts import Document, Placed, Vector
from tasks.phase import Job, Phase, phase_task, stack


def _lots(rows: list[Placed], settings: Settings) -> Mapping[str, list[Placed]]:
    """The queue cut into lots of seed documents and windows for augmentation, labelled so that they sort."""
    queue = sorted(rows, key=lambda row: row.order)
    seeds, rest = queue[: settings.seeds.documents], queue[settings.seeds.documents :]
    size = max(1, settings.run.shard_rows // settings.seeds.per_document)
    lots = {f"seeds-{i // size:05d}": seeds[i : i + size] for i in range(0, len(seeds), size)}
    window = settings.augment.window
    return lots | {f"window-{i // window + 1:05d}": rest[i : i + window] for i in range(0, len(rest), window)}


ENCODE = Phase("encode", version=1, contract=Vector, settings=(), encodes=True)
COMMUNITIES = Phase("communities", version=2, contract=Placed, settings=("communities", "screen.prefer", "run.seed"))
QUEUE = Phase(
    "queue",
    version=1,
    contract=Placed,
    settings=("seeds.documents", "seeds.per_document", "augment.window"),
    shards=_lots,
)


@phase_task(ENCODE)
async def encode(job: Job) -> Outcome[Vector]:
    """Embeds the documents of a shard."""
    documents = job.rows("documents", Document)
    vectors = job.encoder.encode([document.text for document in documents])
    rows = [Vector(document.id, vector) for document, vector in zip(documents, vectors, strict=True)]
    return Outcome(rows, [], len(documents))


@phase_task(COMMUNITIES)
async def communities(job: Job) -> Outcome[Placed]:
    """Groups near-equal documents and keeps who stands for each group."""
    documents = sorted(job.rows("documents", Document), key=lambda document: document.id)
    vectors = stack(job.vectors("vectors"), [document.id for document in documents])
    settings = job.settings
    return choose_representatives(documents, vectors, settings.communities, settings.screen.prefer, settings.run.seed)


@phase_task(QUEUE)
async def queue(job: Job) -> Outcome[Placed]:
    """Deals the documents into lots for seeds and windows for augmentation."""
    rows = job.rows("documents", Placed)
    return Outcome(rows, [], len(rows))
