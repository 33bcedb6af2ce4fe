"""Files to segments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from fanno_core.documents.ingest import ingest as ingest_sources
from fanno_core.documents.readers.opening import digest_of
from fanno_core.documents.sources import Source
from fanno_core.errors import RunStops
from fanno_core.outcome import Outcome
from fanno_core.screening.personal_data import mask_rejected
from fanno_core.store.contracts import Document
from tasks.phase import Job, Phase, phase_task
from tasks.run import Run

SOURCES_A_TASK = 64

PHASE = Phase("ingest", version=2, contract=Document, settings=("ingest", "screen.personal_data"))


@phase_task(PHASE)
async def ingest(job: Job) -> Outcome[Document]:
    """Reads some sources of the corpus and cuts them into segments."""
    return mask_rejected(ingest_sources(check_sources(job), job.settings.ingest), job.settings.screen)


def check_sources(job: Job) -> list[Source]:
    """The sources of a job.

    Raises:
        RunStops: this machine has not the files that the run found.
    """
    sources = [Source(**values) for values in job.part["sources"]]
    for source in sources:
        _is_as_it_was(source)
    return sources


def _is_as_it_was(source: Source) -> None:
    """Checks that this machine has the file that the run found.

    Raises:
        RunStops: it is not here, or was changed since; its rows would be kept under the name of what it was.
    """
    try:
        same = not source.digest or digest_of(Path(source.path)) == source.digest
    except OSError:
        same = False
    if not same:
        raise RunStops(
            f"document {source.name}: not here, or changed since the run began; run again, and on a cluster put the "
            "documents under the same path on every machine"
        )


def ingest_jobs(sources: Sequence[Source], run: Run) -> list[Job]:
    """One job for each group of sources."""
    groups = [sources[i : i + SOURCES_A_TASK] for i in range(0, len(sources), SOURCES_A_TASK)]
    jobs = []
    for number, group in enumerate(groups):
        content, places = sources_part(group)
        job = run.job(PHASE, {}, {"content": content}, f"part {number + 1} of {len(groups)}")
        jobs.append(job.with_part(places))
    return jobs


def sources_part(sources: Sequence[Source]) -> tuple[list[list[str]], dict[str, Any]]:
    """What sources are, and where they are.

    A source's place on this machine is part of a job but not of its fingerprint: a moved corpus is the same.
    """
    content = [[s.name, s.format, s.compression, s.digest, s.licence] for s in sources]
    return content, {"sources": [asdict(source) for source in sources]}
