"""Whether `OUT/run.json` and `OUT/rejected/` can be read and say what the ledger says, as far as it knows.

Both are made from the ledger, and the next run writes them anew: what is wrong with them costs no work.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from pydantic import TypeAdapter, ValidationError

from fanno_core.dataset.record import NO_DATASET, PhaseRecord, published
from fanno_core.dataset.verify import has_versions
from fanno_core.errors import BadSettings, ShardDamaged
from fanno_core.outcome import Usage
from fanno_core.settings import Settings
from fanno_core.store.contracts import Rejection
from fanno_core.store.durable import read_whole
from fanno_core.store.ledger import Entry, Store
from fanno_core.store.location import Location
from fanno_core.store.tables import from_parquet
from fanno_core.store.verify import Damage
from fanno_core.teachers.protocol import Identity

RECORD = "run.json"
REJECTED = "rejected/rejected.parquet"


@dataclass(frozen=True, slots=True)
class RunRecord:
    """What `run.json` holds."""

    phases: tuple[PhaseRecord, ...]
    dataset: Mapping[str, int | str]
    settings: Settings
    teacher: str
    identity: Identity
    encoder: str
    versions: Mapping[str, str]
    work: Mapping[str, tuple[str, ...]]


RUN_RECORD = TypeAdapter(RunRecord)


def check_record(store: Store, entries: Iterable[Entry]) -> list[Damage]:
    """One damage each for `run.json` and the rejected rows, where they are there and are not what a run writes.

    Args:
        store: the shards.
        entries: every readable ledger entry.

    Raises:
        TryAgain, RunStops: the object store cannot be reached, or refuses.
    """
    if has_versions(store.out):  # their manifests answer for them
        return []
    entries = list(entries)
    found = {RECORD: _wrong_record(store.out, entries), REJECTED: _wrong_rejected(store, entries)}
    return [Damage(path, f"{what}; the next run writes it anew") for path, what in found.items() if what]


def shared_journal_of(out: Location) -> str:
    """Absolute path of the journal that the last run shared with others; empty where it had its own, or nobody knows.

    Raises:
        TryAgain, RunStops: the object store cannot be reached, or refuses.
    """
    try:
        return RUN_RECORD.validate_json(read_whole(out / RECORD)).settings.run.journal
    except (OSError, ValidationError, BadSettings):
        return ""


def _wrong_record(out: Location, entries: list[Entry]) -> str:
    """What is wrong with `run.json`; empty where nothing is, or where no run has come to its end yet."""
    try:
        record = RUN_RECORD.validate_json(read_whole(out / RECORD))
    except FileNotFoundError:
        return ""
    except (OSError, ValidationError, BadSettings):
        return "is damaged: it cannot be read as the record of a run"
    wrong = [phase.name for phase in record.phases if not _adds_up(phase) or not _is_of(phase, entries)]
    came_to_its_end = any(phase.name == "publish" for phase in record.phases)
    # Of several publications, the last may be one whose run was cut off before it wrote its record.
    if came_to_its_end and sum(entry.phase == "publish" for entry in entries) == 1:
        wrong += ["the data set"] if published(out) not in (NO_DATASET, record.dataset) else []
    return f"is damaged: its counts of {', '.join(wrong)} are not those of the ledger" if wrong else ""


def _adds_up(phase: PhaseRecord) -> bool:
    asked = replace(sum(phase.prompts.values(), Usage()), replayed=0)
    told = Usage(phase.teacher_calls, phase.prompt_tokens, phase.completion_tokens, phase.cached_tokens)
    return asked == told and phase.candidates == phase.rows_kept + sum(phase.rejected.values())


def _is_of(phase: PhaseRecord, entries: list[Entry]) -> bool:
    """Whether the ledger says the same; it keeps earlier runs' entries too, and then nobody knows which count."""
    ours = [entry for entry in entries if entry.phase == phase.name]
    if len(ours) != phase.tasks:
        return True
    reasons: Counter[str] = Counter()
    for entry in ours:
        reasons.update(entry.reasons)
    rows_in, candidates = sum(entry.rows_in for entry in ours), sum(entry.candidates for entry in ours)
    return (rows_in, candidates, dict(reasons)) == (phase.rows_in, phase.candidates, dict(phase.rejected))


def _wrong_rejected(store: Store, entries: list[Entry]) -> str:
    """What is wrong with the rejected rows; empty where nothing is, or where no run has come to its end yet."""
    try:
        rows = from_parquet(read_whole(store.out / REJECTED), Rejection, REJECTED)
        known = set(store.read([ref for entry in entries for ref in entry.rejected], Rejection))
    except FileNotFoundError:
        return ""
    except OSError:
        return "cannot be read"
    except ShardDamaged as error:
        # A damaged shard has a damage of its own.
        return str(error).removeprefix(REJECTED).strip() if str(error).startswith(REJECTED) else ""
    strange = sum(row not in known for row in rows)
    return f"is damaged: {strange:,} of its rows are in no shard of the ledger" if strange else ""
