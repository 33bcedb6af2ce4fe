"""A child process that reads a corpus and says what came of it, how long it took and how much memory it held."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fanno_core.documents.ingest import ingest
from fanno_core.documents.sources import find_sources
from fanno_core.outcome import Outcome
from fanno_core.screening.duplicates import drop_duplicates
from fanno_core.screening.personal_data import treat_personal_data
from fanno_core.screening.rules import apply_rules
from fanno_core.settings import Ingest, Screen
from fanno_core.store.contracts import Document, Rejection
from fanno_core.store.tables import to_parquet

SCREENED = 150
"""Segments of one source that go through screening, which takes milliseconds each whatever the others are."""
EVERYTHING = Screen(min_words=1, max_words=10**6, languages=(), max_repetition=1, max_boilerplate=1, min_letters=0)
"""Lets segments through that the defaults would stop, so that every phase sees them."""


@dataclass(frozen=True)
class Measured:
    """What came of a corpus."""

    kept: dict[str, bytes]
    """Source to the Parquet bytes of its kept rows, after every phase."""
    reasons: dict[str, list[str]]
    details: list[str]
    rows: int
    """Rows kept and rejected by ingest."""
    ingest_s: float
    screen_s: float
    """Seconds of CPU, which do not depend on what else the machine does."""
    peak_bytes: int


def warm_up() -> None:
    """Loads what is loaded once a process."""
    apply_rules([Document("0", "The river flows to the sea.", "a", "0")], EVERYTHING)


def measure(corpus: Sequence[str]) -> Measured:
    """Reads the corpus and takes its first segments of each source through rules, duplicates and privacy."""
    Path("/proc/self/clear_refs").write_text("5")  # sets the peak back to what is held now
    started = time.process_time()
    read = ingest(find_sources(corpus), Ingest())
    # Committed, as a run does it: whatever cannot be written would show here.
    to_parquet(read.kept, Document)
    to_parquet(read.rejected, Rejection)
    ingested = time.process_time()
    taken: dict[str, list[Document]] = {}
    for row in read.kept:
        taken.setdefault(row.source, [])
        if len(taken[row.source]) < SCREENED:
            taken[row.source].append(row)
    screened = _screened([row for rows in taken.values() for row in rows])
    rejected = [*read.rejected, *screened.rejected]
    to_parquet(rejected, Rejection)
    return Measured(
        {name: to_parquet([r for r in screened.kept if r.source == name], Document) for name in taken},
        {name: sorted({r.reason for r in rejected if r.source == name}) for name in {r.source for r in rejected}},
        [row.detail for row in read.rejected][:1000],
        read.candidates,
        ingested - started,
        time.process_time() - ingested,
        _peak_bytes(),
    )


def _screened(rows: Sequence[Document]) -> Outcome[Document]:
    rejected: list[Rejection] = []
    for phase in (apply_rules, drop_duplicates, treat_personal_data):
        outcome = phase(rows, EVERYTHING)
        rows = outcome.kept
        rejected += outcome.rejected
    return Outcome(rows, rejected, len(rows) + len(rejected))


def _peak_bytes() -> int:
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(status.split("VmHWM:")[1].split()[0]) * 1024
