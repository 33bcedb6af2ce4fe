"""The plan of a run: the corpus screened, a few rows tried out, the rest in proportion."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from fanno_core.outcome import Usage
from fanno_core.plan.corpus import screen_corpus
from fanno_core.plan.figures import PhaseEstimate, Plan
from fanno_core.plan.pretended import ASSUMED, NOVEL, Pretended, unfiltered
from fanno_core.plan.trial import Trial, try_out
from fanno_core.settings import Augment, Settings
from fanno_core.teachers.protocol import Teacher

SAMPLE = 64
"""Documents that are tried out where nobody says how many."""


async def estimate(corpus: Sequence[str], settings: Settings, teacher: Teacher, sample: int = SAMPLE) -> Plan:
    """What a run would ask of its teacher. Deterministic as far as the teacher is.

    Phases without a teacher are done on the whole corpus, or, from `corpus.MOST_SEGMENTS` on, on some of its files.
    Of what they keep a sample goes through the real phases with the real teacher. Its results are scaled up; those
    that depend on how many rows there are, near-equal documents and instructions, by `growth.groups_among`.

    Args:
        corpus: as in a run.
        settings: as in a run.
        teacher: who would be asked.
        sample: documents tried out, >= 0. 0 asks nothing: verdicts and lengths of answers are then assumed
            (`pretended.ASSUMED`), and prompts are rendered and counted as otherwise.

    Raises:
        BadCorpus: the corpus cannot be found, or nothing of it is left for the teacher.
        MissingExtra, RunStops: the encoder or the teacher cannot be used.
        TryAgain: a passing fault of the teacher.
    """
    screened = screen_corpus(corpus, settings)
    if sample:
        trial = await try_out(screened.documents, teacher, settings, sample)
    else:
        trial = await try_out(screened.documents, Pretended(teacher), unfiltered(settings), SAMPLE)
        novel = replace(trial.novelty, kept=round(NOVEL * trial.novelty.rows), groups=())
        trial = replace(trial, novelty=novel)
    phases = _scaled(trial, screened.phases[-1].rows_kept, settings)
    return Plan(
        phases=(*screened.phases, *phases),
        teacher=str(teacher.identity),
        read=screened.read,
        asked=trial.asked if sample else Usage(),
        assumed={} if sample else ASSUMED,
    )


def _scaled(trial: Trial, documents: int, settings: Settings) -> tuple[PhaseEstimate, ...]:
    """Each phase with as many rows as the one before it is expected to keep."""
    verdicts = trial.verdicts.scaled("verdicts", documents)
    communities = trial.communities.scaled("communities", verdicts.rows_kept)
    lot = min(settings.seeds.documents, communities.rows_kept)
    seeds = trial.seeds.scaled("seeds", lot * settings.seeds.per_document)
    novelty = trial.novelty.scaled("novelty", seeds.rows_kept)
    rest = communities.rows_kept - lot if novelty.rows_kept else 0
    share = trial.augment.kept / trial.augment.rows if trial.augment.rows else 0.0
    augment = trial.augment.scaled("augment", _windowed(rest, novelty.rows_kept, share, settings.augment))
    responses = trial.seed_responses.scaled("responses", novelty.rows_kept)
    responses += trial.augment_responses.scaled("responses", augment.rows_kept)
    return verdicts, communities, seeds, novelty, augment, responses


def _windowed(documents: int, pool: int, share: float, how: Augment) -> int:
    """Documents that are used up before there are more instructions than `augment.limit`.

    Args:
        documents: those that are left after seeds.
        pool: instructions that seeds gave.
        share: instructions that a further document gives.
        how: window and limit.
    """
    used, instructions = 0, float(pool)
    while how.iterate and used < documents and instructions <= how.limit:
        window = min(how.window, documents - used)
        used += window
        instructions += share * window
    return used
