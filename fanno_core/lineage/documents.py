"""What became of a document: what each filter of the screening found, and where it stands among those that stayed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace

from fanno_core.errors import RunStops, ShardDamaged
from fanno_core.lineage.checks import by_phase, failed, verdict_checks, with_fatal
from fanno_core.lineage.explanation import Check, Fate, Place, Source
from fanno_core.lineage.find import SCREENING
from fanno_core.lineage.replay import Replay
from fanno_core.lineage.shelves import Shelves
from fanno_core.screening.rules import boilerplate_share, letter_share, repetition
from fanno_core.screening.verdicts import PROMPTS, judge_documents
from fanno_core.settings import Screen
from fanno_core.store.contracts import Document, Placed, Rejection
from fanno_core.text import words_of

RULES = {
    "too_short": "words",
    "too_long": "words",
    "language": "language",
    "few_letters": "letters",
    "repetition": "repetition",
    "boilerplate": "boilerplate",
}
"""Which measure each reason of the rules speaks of; those of licences come before all, `orders` after all."""


@dataclass(frozen=True)
class Screened:
    """A document as the screening left it; `placed` where it came to its end."""

    source: Source
    checks: tuple[Check, ...]
    fate: Fate
    placed: Placed | None

    @property
    def place(self) -> Place | None:
        """Its community and topic; None where it did not come so far."""
        row = self.placed
        return Place(row.community, row.community_size, row.rank, row.order, row.topic) if row else None


async def screened(shelves: Shelves, document_id: str, replay: Replay) -> Screened:
    """What the screening found of a document; the replay notes the verdicts that were asked for.

    Raises:
        ShardDamaged: a shard is missing or damaged, or none holds the document.
    """
    versions = _versions(shelves, document_id)
    placed = shelves.row(shelves.kept("communities"), Placed, document_id) if "verdicts" in versions else None
    passed = [*versions, *(["communities"] if placed else [])]
    rejections = shelves.rejections(SCREENING, "id", document_id)
    # Where two documents have one id, the copy is rejected and the other stays: that is not the fate of this one.
    fatal = by_phase(rejections).get(SCREENING[len(passed)]) if len(passed) < len(SCREENING) else None
    settings = shelves.made.settings.screen
    checks: list[Check] = []
    if versions:
        checks.append(Check("ingest", "read", passed=True, detail=versions["ingest"].location))
        checks += _rules(versions["ingest"], versions.get("rules"), fatal, settings)
        checks += _duplicates_and_privacy(versions, settings)
        checks += await _verdicts(versions, replay, settings)
    if placed:
        members = f"rank {placed.rank} of {placed.community_size} in its community"
        checks.append(Check("communities", "representative", passed=True, detail=members))
    told = with_fatal(checks, fatal)
    told += tuple(replace(failed(row), name="copy", passed=True) for row in rejections if row is not fatal)
    fate = Fate(False, fatal.phase, fatal.reason, fatal.detail) if fatal else Fate(True, passed[-1])
    return Screened(_source(document_id, versions, fatal), told, fate, placed)


def _versions(shelves: Shelves, document_id: str) -> dict[str, Document]:
    """The document as each phase of the screening kept it, in order, up to the one that did not."""
    versions: dict[str, Document] = {}
    for phase in SCREENING[:-1]:
        row = shelves.row(shelves.kept(phase), Document, document_id)
        if row is None:
            break
        versions[phase] = row
    return versions


def _rules(read: Document, kept: Document | None, fatal: Rejection | None, settings: Screen) -> Iterator[Check]:
    """The measures of the text as it was read, up to the one that failed."""
    reason = fatal.reason if fatal and fatal.phase == "rules" else ""
    if reason.startswith("licence"):
        return
    words = words_of(read.text)
    language = kept.language if kept else ""
    for name, score, limit, detail in (
        ("words", float(len(words)), f"{settings.min_words} to {settings.max_words}", ""),
        ("language", None, ", ".join(settings.languages) or "any", language),
        ("letters", letter_share(read.text), f">= {settings.min_letters:g}", ""),
        ("repetition", repetition(read.text, words), f"<= {settings.max_repetition:g}", ""),
        ("boilerplate", boilerplate_share(read.text), f"<= {settings.max_boilerplate:g}", ""),
    ):
        if fatal and name == RULES.get(reason):
            yield Check("rules", name, passed=False, score=score, limit=limit, detail=f"{reason}: {fatal.detail}")
            return
        yield Check("rules", name, passed=True, score=score, limit=limit, detail=detail)


def _duplicates_and_privacy(versions: dict[str, Document], settings: Screen) -> Iterator[Check]:
    if "duplicates" in versions:
        yield Check("duplicates", "copies", passed=True, limit=f"Jaccard < {settings.near_duplicate:g}")
    if "privacy" in versions:
        kinds = ", ".join(versions["privacy"].personal_data)
        yield Check("privacy", "personal_data", passed=True, detail=f"masked: {kinds}" if kinds else "none found")


async def _verdicts(versions: dict[str, Document], replay: Replay, settings: Screen) -> list[Check]:
    if "privacy" not in versions:
        return []
    before = len(replay.asked)
    with suppress(RunStops):  # of the replay, which has noted why
        await judge_documents([versions["privacy"]], replay, settings)
    return list(verdict_checks("verdicts", PROMPTS, versions.get("verdicts"), replay.asked[before:], settings))


def _source(document_id: str, versions: dict[str, Document], fatal: Rejection | None) -> Source:
    if not versions:
        if fatal is None:
            raise ShardDamaged(f"no shard holds document {document_id}; `fanno verify` names what is damaged")
        return Source(document_id, fatal.source, fatal.text)
    row = list(versions.values())[-1]
    return Source(
        id=row.id,
        source=row.source,
        # Personal data is masked in what was rejected, but not yet in what the first phases kept.
        text=fatal.text if fatal else row.text,
        location=row.location,
        carried_id=row.carried_id,
        licence=row.licence,
        language=row.language,
        words=row.words,
        personal_data=row.personal_data,
    )
