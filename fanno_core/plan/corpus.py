"""The phases before the teacher, done for real: of a large corpus on some of its files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from fanno_core.documents.ingest import ingest
from fanno_core.documents.sources import Source, find_sources
from fanno_core.errors import BadCorpus
from fanno_core.outcome import Outcome
from fanno_core.plan.figures import PhaseEstimate
from fanno_core.screening.duplicates import drop_duplicates
from fanno_core.screening.personal_data import treat_personal_data
from fanno_core.screening.rules import apply_rules
from fanno_core.settings import Settings
from fanno_core.store.contracts import Document, Rejection
from fanno_core.text import stable_id

MOST_SEGMENTS = 20_000
"""No further file is read from here on; some minutes on two cores."""

SCREENS: dict[str, Callable[[Sequence[Document], Settings], Outcome[Document]]] = {
    "rules": lambda documents, settings: apply_rules(documents, settings.screen),
    "duplicates": lambda documents, settings: drop_duplicates(documents, settings.screen),
    "privacy": lambda documents, settings: treat_personal_data(documents, settings.screen),
}


@dataclass(frozen=True)
class Screened:
    """Documents that are ready for the verdicts, and how they came about.

    Attributes:
        documents: those of the files that were read.
        phases: the phases so far, for the whole corpus.
        read: share of the corpus' bytes in those files, in (0, 1].
    """

    documents: Sequence[Document]
    phases: tuple[PhaseEstimate, ...]
    read: float


def screen_corpus(corpus: Sequence[str], settings: Settings, most: int = MOST_SEGMENTS) -> Screened:
    """The corpus after all phases that need no teacher.

    From `most` segments on no further file is read, and counts are scaled by bytes. Which files are read depends on
    their content alone. Duplicates between files are then found only among those that were read.

    Raises:
        BadCorpus: it cannot be found, or nothing of it is left.
    """
    outcome, read = _ingested(find_sources(corpus), settings, most)
    phases = [_phase("ingest", outcome, read)]
    for name, screen in SCREENS.items():
        outcome = screen(outcome.kept, settings)
        phases.append(_phase(name, outcome, read))
    return Screened(outcome.kept, tuple(phases), read)


def _ingested(sources: Sequence[Source], settings: Settings, most: int) -> tuple[Outcome[Document], float]:
    """Files in an order without pattern, until there are enough segments, and their share of all bytes."""
    sizes = {source: _bytes_of(source) for source in sources}
    kept: list[Document] = []
    rejected: list[Rejection] = []
    read = 0
    for source in sorted(sources, key=lambda source: stable_id(source.name, source.digest)):
        outcome = ingest([source], settings.ingest)
        kept += outcome.kept
        rejected += outcome.rejected
        read += sizes[source]
        if len(kept) >= most:
            break
    share = read / sum(sizes.values()) if read else 1.0
    return Outcome(kept, rejected, len(kept) + len(rejected)), share


def _bytes_of(source: Source) -> int:
    try:
        return Path(source.path).stat().st_size
    except OSError:  # its reader has met the same fault and has said so
        return 0


def _phase(name: str, outcome: Outcome[Document], read: float) -> PhaseEstimate:
    if not outcome.kept:
        reasons = ", ".join(f"{reason} {count:,}" for reason, count in outcome.reasons.items()) or "no rows came in"
        raise BadCorpus(
            f"nothing is left after phase {name}: {reasons}; give other documents or change the settings of that phase"
        )
    return PhaseEstimate(name, round(outcome.candidates / read), round(len(outcome.kept) / read))
