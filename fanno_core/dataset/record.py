"""`OUT/run.json` and `OUT/rejected/`: what a run did, whether or not it came to its end."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from fanno_core.dataset.publish import read_manifest
from fanno_core.errors import RowsLost
from fanno_core.outcome import Usage
from fanno_core.settings import Settings
from fanno_core.store.contracts import Rejection
from fanno_core.store.durable import write_durably, write_if_changed
from fanno_core.store.ledger import Entry, Store
from fanno_core.store.location import Location
from fanno_core.store.tables import sorted_table, table_bytes
from fanno_core.teachers.protocol import Identity

MAY_BE_EMPTY = {"augment"}
"""Phases after which a run goes on though they kept nothing."""
NO_DATASET = {"rows": 0, "digest": ""}
MODELS = ("torch", "transformers", "sentence-transformers", "openvino", "vllm")
PACKAGES = ("fanno", "prefect", *MODELS, "faiss-cpu", "faiss-gpu", "leidenalg")


@dataclass(frozen=True, slots=True)
class PhaseRecord:
    """One phase of a run, as `run.json` tells it. Calls and tokens are those of this run, not of the journal.

    `prompts` has them by prompt file; `cached_tokens` of the prompts came from the server's prefix cache.
    """

    name: str
    rows_in: int
    candidates: int
    rows_kept: int
    rejected: Mapping[str, int]
    teacher_calls: int
    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int
    prompts: Mapping[str, Usage]
    tasks: int
    tasks_cached: int
    seconds: float


def record_phase(name: str, entries: Sequence[Entry], fresh: Sequence[Entry], seconds: float) -> PhaseRecord:
    """The record of a phase from all its entries and those made in this run.

    Raises:
        RowsLost: candidates are not kept plus rejected.
    """
    reasons: Counter[str] = Counter()
    for entry in entries:
        reasons.update(entry.reasons)
    candidates, kept = sum(e.candidates for e in entries), sum(e.rows_kept for e in entries)
    if candidates != kept + reasons.total():
        raise RowsLost(f"phase {name}: {candidates} candidates, but {kept} kept and {reasons.total()} rejected")
    usage = sum((entry.usage for entry in fresh), Usage())
    prompts = sorted({prompt for entry in fresh for prompt in entry.asked})
    return PhaseRecord(
        name=name,
        rows_in=sum(entry.rows_in for entry in entries),
        candidates=candidates,
        rows_kept=kept,
        rejected=dict(sorted(reasons.items())),
        teacher_calls=usage.calls,
        prompt_tokens=usage.prompt_tokens,
        completion_tokens=usage.completion_tokens,
        cached_tokens=usage.cached_tokens,
        prompts={name: sum((entry.asked.get(name, Usage()) for entry in fresh), Usage()) for name in prompts},
        tasks=len(entries),
        tasks_cached=len(entries) - len(fresh),
        seconds=round(seconds, 3),
    )


def write_run_record(
    out: Location,
    phases: Sequence[PhaseRecord],
    entries: Sequence[Entry],
    settings: Settings,
    teacher: Identity,
    encoder: str,
) -> None:
    """Writes `OUT/run.json`. A run that did not come to publishing has no data set, whatever an earlier one made."""
    work: dict[str, list[str]] = {}
    for entry in entries:
        work.setdefault(entry.phase, []).append(entry.key)
    came_to_its_end = any(phase.name == "publish" for phase in phases)
    record = {
        "phases": [asdict(phase) for phase in phases],
        "dataset": published(out) if came_to_its_end else NO_DATASET,
        **made_with(settings, teacher, encoder),
        "work": work,
    }
    write_durably(out / "run.json", (json.dumps(record, indent=2, ensure_ascii=False) + "\n").encode())


def made_with(settings: Settings, teacher: Identity, encoder: str) -> dict[str, Any]:
    """What the rows depend on, as `run.json` tells it."""
    return {
        "settings": settings.model_dump(mode="json"),
        "teacher": str(teacher),
        "identity": asdict(teacher),
        "encoder": encoder,
        "versions": {name: _version(name) for name in PACKAGES},
    }


def published(out: Location) -> dict[str, Any]:
    """Rows and digest of the data set that lies in `OUT/dataset`; no rows where there is none."""
    manifest = read_manifest(out)
    return {name: manifest[name] for name in NO_DATASET}


def write_rejected(store: Store, entries: Iterable[Entry]) -> None:
    """Writes every rejected row of these entries, with phase and reason, to `OUT/rejected/`."""
    write_if_changed(store.out / "rejected" / "rejected.parquet", rejected_bytes(store, entries))


def rejected_bytes(store: Store, entries: Iterable[Entry]) -> bytes:
    """Every rejected row of these entries as Parquet.

    Raises:
        ShardDamaged: a shard is missing or damaged.
    """
    refs = [ref for entry in entries for ref in entry.rejected]
    return table_bytes(sorted_table(store.table(refs, Rejection), Rejection))


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
