"""What has changed in the corpus since the last version, and which segments stand among all others now."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import fields
from typing import Any

from fanno_core.documents.sources import Source
from fanno_core.outcome import Outcome
from fanno_core.refresh.changes import compare
from fanno_core.refresh.contracts import CorpusFile, Count, Gone, Origin, Sketch
from fanno_core.screening.personal_data import mask_rejected
from fanno_core.screening.standing import join
from fanno_core.store.carried import look_up, read_columns
from fanno_core.store.contracts import Document
from fanno_core.store.ledger import FileRef
from tasks.ingest import check_sources, sources_part
from tasks.phase import Job, Phase, phase_task
from tasks.run import Run
from tasks.screen import DUPLICATES

Refs = tuple[FileRef, ...]

CHANGES = Phase("changes", version=1, contract=Document, settings=("ingest", "screen.personal_data"))
STANDING = Phase("standing", version=1, contract=Document, settings=DUPLICATES.settings)


@phase_task(CHANGES)
async def changes(job: Job) -> Outcome[Document]:
    """Reads what is not as it was, and says what is gone."""
    sources = check_sources(job)
    files, origins = read_all(job, "files", CorpusFile), read_all(job, "origins", Origin)
    found = compare(sources, files, origins, job.settings.ingest, frozenset(job.part["forgotten"]))
    outcome = Outcome(found.segments, found.rejected, len(found.segments) + len(found.rejected))
    gone = {
        "origins": found.gone_origins,
        "files": found.gone_files,
        "segments": found.gone_segments,
        "rejections": found.gone_rejections,
    }
    counts = [Count(name, count) for name, count in found.counts.items()]
    outcome = outcome.with_extra("files", CorpusFile, found.files).with_extra("origins", Origin, found.origins)
    outcome = outcome.with_extra("gone", Gone, gone_rows(gone)).with_extra("counts", Count, counts)
    return mask_rejected(outcome, job.settings.screen)


def changes_job(sources: Sequence[Source], run: Run, tables: Mapping[str, Refs], forgotten: Collection[str]) -> Job:
    """The one job of comparing the corpus with what stood in it before.

    Args:
        sources: the corpus.
        run: the run.
        tables: `files` and `origins` of the last version.
        forgotten: digests of what must not come back.
    """
    content, places = sources_part(sources)
    part = {"content": content, "forgotten": sorted(forgotten), "shard_rows": run.settings.run.shard_rows}
    return run.job(CHANGES, {name: tables[name] for name in ("files", "origins")}, part).with_part(places)


@phase_task(STANDING)
async def standing(job: Job) -> Outcome[Document]:
    """New segments that no other one repeats, and old ones that nothing repeats any more, or that still wait."""
    new = job.rows("documents", Document)
    sketches = read_all(job, "sketches", Sketch)

    def documents_of(ids: Collection[str]) -> Iterable[Document]:
        return look_up(job.store, job.inputs["ruled"], Document, ids)

    gone = ids_of(job.rows("gone", Gone), "segments")
    found = join(new, gone, sketches, documents_of, job.settings.screen)
    new_ids = {document.id for document in new}
    old = ({*found.kept} - new_ids) | ({*job.part["waiting"]} - gone - found.fallen)
    kept = [document for document in new if document.id in {*found.kept}] + [*documents_of(old)]
    left = {"fallen": found.fallen, "rejections": found.gone_rejections, "sketches": found.gone_sketches}
    outcome = Outcome(kept, found.rejected, len(kept) + len(found.rejected))
    outcome = outcome.with_extra("sketches", Sketch, found.sketches).with_extra("gone", Gone, gone_rows(left))
    return mask_rejected(outcome, job.settings.screen)


def read_all(job: Job, role: str, contract: type[Any]) -> Any:
    """An input that is a carried table, all columns, as an Arrow table."""
    return read_columns(job.store, job.inputs[role], contract, [f.name for f in fields(contract)])


def gone_rows(gone: Mapping[str, Iterable[str]]) -> list[Gone]:
    """Ids by kind, as rows."""
    return [Gone(f"{kind} {row}", kind, row) for kind, rows in gone.items() for row in rows]


def ids_of(rows: Iterable[Gone], kind: str) -> frozenset[str]:
    """The ids of one kind."""
    return frozenset(row.row for row in rows if row.kind == kind)
