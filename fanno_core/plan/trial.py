"""The phases that ask, done for real on a few rows."""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import TypeVar

import numpy as np

from fanno_core.communities.encoder import Encoder
from fanno_core.communities.representatives import choose_representatives
from fanno_core.instructions.augmentation import Pool, augment_window, seed_states
from fanno_core.instructions.novelty import keep_novel
from fanno_core.instructions.seeds import write_seeds
from fanno_core.outcome import Outcome, Usage
from fanno_core.plan.figures import PhaseEstimate
from fanno_core.plan.growth import groups_among
from fanno_core.responses.answers import respond, response_mode
from fanno_core.responses.retrieval import Library, build_library
from fanno_core.screening.verdicts import judge_documents
from fanno_core.settings import Settings
from fanno_core.store.contracts import Document, Floats, Instruction, Placed, question_of
from fanno_core.teachers.journal import Journal
from fanno_core.teachers.journalled import Journalled
from fanno_core.teachers.protocol import Teacher

JUDGED = 4
"""Documents judged for each that is worked on: a verdict is one token, and all that follows hangs on their share."""
DRAFTS = 2
"""Seed instructions asked for, for each document that is worked on."""

Row = TypeVar("Row")


@dataclass(frozen=True)
class Tried:
    """What a phase did with a few rows: how many came in and stayed, what it asked, the groups of near-equal ones."""

    rows: int = 0
    kept: int = 0
    usage: Usage = field(default_factory=Usage)
    groups: tuple[int, ...] = ()

    def scaled(self, name: str, rows: int) -> PhaseEstimate:
        """What the phase is expected to do with so many rows."""
        if not self.rows:
            return PhaseEstimate(name, rows, 0)
        kept = self.kept * rows / self.rows
        if self.groups:
            kept = self.kept * groups_among(self.groups, max(rows, self.rows)) / len(self.groups)
        return PhaseEstimate(name, rows, min(rows, round(kept)), _times(self.usage, rows / self.rows))


@dataclass(frozen=True)
class Trial:
    """Every phase that asks or needs vectors, tried."""

    verdicts: Tried = Tried()
    communities: Tried = Tried()
    seeds: Tried = Tried()
    novelty: Tried = Tried()
    augment: Tried = Tried()
    seed_responses: Tried = Tried()
    augment_responses: Tried = Tried()

    @property
    def asked(self) -> Usage:
        """All that was asked."""
        return sum((tried.usage for tried in vars(self).values()), Usage())


async def try_out(documents: Sequence[Document], teacher: Teacher, settings: Settings, size: int) -> Trial:
    """The phases from the verdicts on, each on some rows of those that the phase before it kept.

    Args:
        documents: screened documents.
        teacher: who is asked; equal questions are put once, as in a run.
        settings: all settings.
        size: documents that instructions are written from; >= 1. `JUDGED` times as many are judged.

    Raises:
        MissingExtra, RunStops: the encoder or the teacher cannot be used.
        TryAgain: a passing fault of the teacher.
    """
    with closing(Journal(None)) as journal:
        return await _Rehearsal(teacher, journal, settings, size).play(documents)


@dataclass(frozen=True)
class _Rehearsal:
    teacher: Teacher
    journal: Journal
    settings: Settings
    size: int

    async def play(self, documents: Sequence[Document]) -> Trial:
        verdicts, judged = await self.judge(documents)
        if not judged:
            return Trial(verdicts)
        communities, queue, library = self.place(judged)
        if not queue:
            return Trial(verdicts, communities)
        lot = queue[: min(self.settings.seeds.documents, max(1, len(queue) // 2))]
        seeds, written = await self.write(lot)
        if not written:
            return Trial(verdicts, communities, seeds)
        novelty, pool, found = await self.compare(written)
        seed_responses = await self.respond(found, library)
        trial = Trial(verdicts, communities, seeds, novelty, seed_responses=seed_responses)
        if not self.settings.augment.iterate:
            return trial
        augment, more = await self.augment(queue[len(lot) :] or lot, pool)
        return replace(trial, augment=augment, augment_responses=await self.respond(more, library))

    def asking(self) -> Journalled:
        """The teacher, with a count of its own."""
        return Journalled(self.teacher, self.journal)

    def some(self, rows: Sequence[Row], count: int) -> list[Row]:
        """So many rows, one from each of as many equal stretches; all where there are no more."""
        rng = random.Random(f"{self.settings.run.seed}:plan")
        count = min(count, len(rows))
        borders = [place * len(rows) // max(count, 1) for place in range(count + 1)]
        return [rows[rng.randrange(*stretch)] for stretch in pairwise(borders)]

    async def judge(self, documents: Sequence[Document]) -> tuple[Tried, list[Document]]:
        """The verdicts on documents of all lengths."""
        by_length = sorted(documents, key=lambda document: (document.words, document.id))
        teacher = self.asking()
        outcome = await judge_documents(self.some(by_length, JUDGED * self.size), teacher, self.settings.screen)
        tried = Tried(outcome.candidates, len(outcome.kept), teacher.usage)
        return tried, sorted(outcome.kept, key=lambda document: document.id)

    def place(self, documents: Sequence[Document]) -> tuple[Tried, Sequence[Placed], Library]:
        """Communities and the queue, as far as these documents go, and the library of them."""
        vectors = Encoder(self.settings.encoder).encode([document.text for document in documents])
        how, prefer, seed = self.settings.communities, self.settings.screen.prefer, self.settings.run.seed
        outcome = choose_representatives(documents, vectors, how, prefer, seed)
        # Growth is that of all groups; which of them the settings keep is taken to stay in proportion.
        all_groups = how.model_copy(update={"min_size": 1, "per_community": 1})
        every = choose_representatives(documents, vectors, all_groups, prefer, seed)
        sizes = tuple(row.community_size for row in every.kept)
        ids, texts = [document.id for document in documents], [document.text for document in documents]
        library = build_library(ids, texts, vectors, how.exact_below)
        return Tried(len(documents), len(outcome.kept), groups=sizes), outcome.kept, library

    async def write(self, lot: Sequence[Placed]) -> tuple[Tried, Sequence[Instruction]]:
        """Seeds: of the tags as many as of the documents, since rows of one document resemble each other most."""
        documents = self.some(lot, math.ceil(math.sqrt(DRAFTS * self.size)))
        tags = min(self.settings.seeds.per_document, math.ceil(DRAFTS * self.size / len(documents)))
        how = self.settings.seeds.model_copy(update={"per_document": tags})
        teacher = self.asking()
        outcome = await write_seeds(documents, teacher, self.settings.model_copy(update={"seeds": how}))
        return Tried(outcome.candidates, len(outcome.kept), teacher.usage), outcome.kept

    async def compare(self, rows: Sequence[Instruction]) -> tuple[Tried, Pool, Outcome[Instruction]]:
        """Novelty, and what augmentation knows of the seeds that are left."""
        vectors = Encoder(self.settings.encoder).encode([question_of(row) for row in rows])
        empty = np.zeros((0, vectors.shape[1]), np.float32)
        outcome = keep_novel(rows, vectors, empty, self.settings.filters.novelty, "novelty")
        teacher = self.asking()
        states = await seed_states(outcome.kept, teacher, self.settings)
        kept = _vectors_of(outcome)
        sizes = Counter((vectors @ kept.T).argmax(axis=1).tolist())
        pool = Pool({row.id: row for row in outcome.kept}, kept, states)
        return Tried(len(rows), len(outcome.kept), teacher.usage, tuple(sizes.values())), pool, outcome

    async def augment(self, documents: Sequence[Placed], pool: Pool) -> tuple[Tried, Outcome[Instruction]]:
        """Think Different, as one window."""
        # The published bandit draws from a share of many more seeds than there are here.
        how = self.settings.augment.model_copy(update={"top_share": 1.0})
        settings = self.settings.model_copy(update={"augment": how})
        teacher = self.asking()
        encode = Encoder(settings.encoder).encode
        outcome = await augment_window(self.some(documents, self.size), pool, 1, teacher, encode, settings)
        return Tried(outcome.candidates, len(outcome.kept), teacher.usage), outcome

    async def respond(self, instructions: Outcome[Instruction], library: Library) -> Tried:
        """Responses to these instructions; retrieved is from the documents that were judged."""
        chosen = self.some(range(len(instructions.kept)), self.size)
        if not chosen:
            return Tried()
        rows, vectors = [instructions.kept[place] for place in chosen], _vectors_of(instructions)[chosen]
        teacher = self.asking()
        mode = response_mode(self.settings, teacher.needs_context)
        outcome = await respond(rows, vectors, library, mode, teacher, self.settings)
        return Tried(len(rows), len(outcome.kept), teacher.usage)


def _vectors_of(instructions: Outcome[Instruction]) -> Floats:
    """`[n, d]` the vectors of the kept rows, in their order."""
    rows = [row.vector for row in instructions.extras["vectors"][1]]
    return np.stack(rows) if rows else np.zeros((0, 0), np.float32)


def _times(usage: Usage, factor: float) -> Usage:
    return Usage(
        round(usage.calls * factor), round(usage.prompt_tokens * factor), round(usage.completion_tokens * factor)
    )
