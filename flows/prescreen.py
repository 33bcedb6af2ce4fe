"""FANNO's document pre-screen: clean segments, each once, worth learning from, none too near another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fanno_core.documents.sources import find_sources
from tasks.communities import communities, encode, queue
from tasks.ingest import ingest, ingest_jobs
from tasks.run import Run, Shards
from tasks.screen import duplicates, privacy, rules, verdicts


@dataclass(frozen=True)
class Screened:
    """What is left of a corpus.

    Attributes:
        documents: every screened document.
        vectors: their embeddings.
        lots: those that stand for a community, in the order of the queue: lots for seeds, then windows.
    """

    documents: Shards
    vectors: Shards
    lots: Shards


async def prescreen(run: Run, corpus: Sequence[str]) -> Screened:
    """The documents of a corpus that instructions are written from."""
    segments = await run.do(ingest, ingest_jobs(find_sources(corpus), run))
    ruled = await run.map(rules, documents=segments)
    unique = await run.one(duplicates, documents=ruled)
    masked = await run.map(privacy, documents=unique)
    screened = await run.map(verdicts, documents=masked)
    vectors = await run.map(encode, documents=screened)
    placed = await run.one(communities, documents=screened, vectors=vectors)
    return Screened(screened, vectors, await run.one(queue, documents=placed))
