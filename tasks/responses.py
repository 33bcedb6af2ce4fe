"""Responses to instructions."""

from __future__ import annotations

from fanno_core.outcome import Outcome
from fanno_core.responses.answers import PROMPTS, respond, response_mode
from fanno_core.responses.retrieval import Library, build_library
from fanno_core.settings import Settings
from fanno_core.store.contracts import Document, Example, Instruction
from tasks.phase import Job, Phase, make_job, needs_context, phase_task, stack
from tasks.run import Shards

RESPONSES = Phase(
    "responses",
    version=1,
    contract=Example,
    settings=("responses", "communities.exact_below", "run.seed"),
    prompts=tuple(PROMPTS.values()),
    asks_teacher=True,
)


@phase_task(RESPONSES)
async def responses(job: Job) -> Outcome[Example]:
    """Asks for the response to each instruction of a shard."""
    rows = job.rows("instructions", Instruction)
    vectors = stack(job.vectors("vectors"), [row.id for row in rows])
    library = None if job.part["mode"] == "direct" else _library(job)
    return await respond(rows, vectors, library, job.part["mode"], job.teacher, job.settings)


def _library(job: Job) -> Library:
    documents = job.rows("documents", Document)
    ids = [document.id for document in documents]
    return build_library(
        ids,
        [document.text for document in documents],
        stack(job.vectors("document_vectors"), ids),
        job.settings.communities.exact_below,
        job.settings.run.seed,
    )


def response_jobs(instructions: Shards, documents: Shards, vectors: Shards, out: str, settings: Settings) -> list[Job]:
    """One job for each shard of instructions.

    Documents and their vectors are inputs only of the modes that show them, so that a changed document does not
    ask for direct responses again.
    """
    mode = response_mode(settings, needs_context(settings))
    shown = {} if mode == "direct" else {"documents": documents.kept, "document_vectors": vectors.kept}
    return [
        make_job(
            RESPONSES,
            out,
            settings,
            {"instructions": (shard,), "vectors": (entry.extras["vectors"],), **shown},
            label=f"{entry.phase} {number} {shard.label}",
            part={"mode": mode},
        )
        for number, entry in enumerate(instructions.entries)
        for shard in entry.kept
    ]
