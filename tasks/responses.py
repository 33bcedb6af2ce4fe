"""Responses to instructions."""

from __future__ import annotations

import threading
from functools import lru_cache

from fanno_core.outcome import Outcome
from fanno_core.responses.answers import PROMPTS, respond, response_mode
from fanno_core.responses.retrieval import Library, build_library
from fanno_core.store.contracts import Document, Example, Instruction, Vector
from fanno_core.store.ledger import FileRef, Store
from tasks.phase import Job, Phase, phase_task, stack
from tasks.run import Run, Shards
from tasks.teachers import needs_context

FILTERED = tuple(f"responses.{key}" for key in ("max_tokens", "temperature", "top_p", "max_repetition", "max_copy"))
RETRIEVED = ("responses.retrieve", "responses.min_score", "responses.own_document", "communities.exact_below")
RETRIEVING = {"rag", "rag+"}


def phase_of(mode: str) -> Phase:
    """The phase as a mode needs it: its own prompt, and the settings of retrieval only where there is any."""
    return Phase(
        "responses",
        version=4,
        contract=Example,
        settings=(*FILTERED, "run.seed", *(RETRIEVED if mode in RETRIEVING else ())),
        prompts=(PROMPTS[mode],),
        asks_teacher=True,
    )


@phase_task(phase_of("rag+"))
async def responses(job: Job) -> Outcome[Example]:
    """Asks for the response to each instruction of a shard."""
    rows = job.rows("instructions", Instruction)
    vectors = stack(job.vectors("vectors"), [row.id for row in rows])
    mode = job.part["mode"]
    library = None if mode == "direct" else library_of(job)
    return await respond(rows, vectors, library, mode, job.teacher, job.settings)


_building = threading.Lock()


def library_of(job: Job) -> Library:
    """The screened documents; built once a process, since every shard of instructions wants the same."""
    exact_below = job.settings.communities.exact_below
    with _building:
        return _library(job.store, job.inputs["documents"], job.inputs["document_vectors"], exact_below)


@lru_cache(maxsize=1)
def _library(store: Store, documents: tuple[FileRef, ...], vectors: tuple[FileRef, ...], exact_below: int) -> Library:
    by_id = {row.id: row.vector for row in store.read(vectors, Vector)}
    rows = store.read(documents, Document)
    ids = [row.id for row in rows]
    return build_library(ids, [row.text for row in rows], stack(by_id, ids), exact_below)


def response_jobs(instructions: Shards, documents: Shards, vectors: Shards, run: Run) -> list[Job]:
    """One job for each shard of instructions.

    Documents and their vectors are inputs only of the modes that show them, so that a changed document does not
    ask for direct responses again.
    """
    mode = response_mode(run.settings, needs_context(run.settings))
    phase = phase_of(mode)
    shown = {} if mode == "direct" else {"documents": documents.kept, "document_vectors": vectors.kept}
    return [
        run.job(
            phase,
            {"instructions": (shard,), "vectors": (entry.extras["vectors"],), **shown},
            {"mode": mode},
            _label(number, part, len(entry.kept)),
        )
        for number, entry in enumerate(instructions.entries)
        for part, shard in enumerate(entry.kept, 1)
    ]


def _label(window: int, part: int, parts: int) -> str:
    asked = f"window {window}" if window else "seeds"
    return f"{asked}, part {part} of {parts}" if parts > 1 else asked
