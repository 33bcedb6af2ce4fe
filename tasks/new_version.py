"""What a night has come to, written as the next version."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from fanno_core.dataset.card import Provenance, run_command
from fanno_core.dataset.gates import Measures, held_back, measures
from fanno_core.dataset.manifest import Version, local
from fanno_core.dataset.record import made_with
from fanno_core.dataset.versions import NewVersion, write_version
from fanno_core.outcome import Usage
from fanno_core.refresh.entries import QUESTIONS, Work, entries_of, records_of
from fanno_core.responses.answers import response_mode
from fanno_core.store.contracts import Example, Vector
from fanno_core.teachers.licences import declared_licence
from tasks.manners import manners
from tasks.night import Night
from tasks.phase import stack
from tasks.teachers import needs_context

# Under which phase of the whole flow a night's phase is counted.
COUNTED_AS = {"changes": "ingest", "standing": "duplicates", "joining": "communities", "turns": "queue"}


def write_night(night: Night) -> Version:
    """The version that the night has come to, held where it fails a limit; nobody reads it before it is published.

    Raises:
        ShardDamaged: a shard is missing or damaged.
        RunStops: the disk does not take the files.
    """
    rows = night.tables.store.read(night.tables["examples"], Example)
    found = measures_of(night, rows)
    reasons = held_back(found, night.measures, _lost(night, rows), night.run.settings)
    return write_as(night, found, manners(night.run.settings), reasons)


def write_as(night: Night, found: Measures, manner: Mapping[str, str], reasons: tuple[str, ...] = ()) -> Version:
    """The version of the night's tables, with what it measures and in which manner it was made; errors as above."""
    run, tables = night.run, night.tables
    entries = entries_of(tables.state.tables, bool(run.settings.decontaminate.files))
    phases = [asdict(record) for record in records_of(entries, work_of(night))]
    record = {
        "phases": phases,
        **made_with(run.settings, run.teacher, run.encoder),
        **({"versions": night.built.record["versions"]} if night.built else {}),
        "communities": {"drift": night.counts.get("drift", 0.0), "moved": int(night.counts.get("moved", 0))},
        "refresh": {
            "manner": manner,
            "withdrawn": sorted(night.withdrawn),
            "answered_anew": sorted(night.leaning),
            "measures": asdict(found),
            "counts": {name: int(night.counts[name]) for name in sorted(night.counts) if name != "drift"},
            "next_order": night.next_order,
            "next_iteration": night.next_iteration,
        },
    }
    new = NewVersion(
        tables.state, entries, record, _provenance(night, phases), run.settings.publish, night.number, reasons
    )
    return write_version(local(run.out), new)


def measures_of(night: Night, rows: Sequence[Example]) -> Measures:
    """What the limits look at."""
    tables = night.tables
    instructions = sum(tables.rows(name) for name in QUESTIONS)
    vectors = {row.id: row.vector for name in QUESTIONS.values() for row in tables.store.read(tables[name], Vector)}
    return measures(rows, instructions, stack(vectors, [row.id for row in rows]), night.run.settings)


def work_of(night: Night) -> dict[str, Work]:
    """What the night has spent, by phase of the whole flow."""
    spent: dict[str, Work] = {}
    built = night.built.record["phases"] if night.built else ()
    for record in (*built, *map(asdict, night.run.records)):
        name = COUNTED_AS.get(record["name"], record["name"])
        asked = {prompt: Usage(**usage) for prompt, usage in record["prompts"].items()}
        spent[name] = spent.get(name, Work()) + Work(asked, record["tasks"], record["tasks_cached"], record["seconds"])
    return spent


def _lost(night: Night, rows: Sequence[Example]) -> int:
    """How many rows the last version had that this one has not; a full build may have made each of them otherwise."""
    if night.is_first:
        return max(0, night.measures.rows - len(rows)) if night.measures else 0
    return len(night.retired - {row.id for row in rows})


def _provenance(night: Night, phases: Sequence[Mapping[str, Any]]) -> Provenance:
    run, settings = night.run, night.run.settings
    counts = ("name", "candidates", "rows_kept", "rejected")
    return Provenance(
        teacher=str(run.teacher),
        teacher_licence=declared_licence(settings.teacher),
        encoder=run.encoder,
        mode=_mode(night),
        seed=settings.run.seed,
        languages=settings.screen.languages,
        funnel=[{name: phase[name] for name in counts} for phase in phases],
        command=run_command(settings).replace("fanno run", "fanno refresh", 1),
    )


def _mode(night: Night) -> str:
    """How responses are written; of a run that is taken over its rows tell, as its teacher may be gone."""
    if night.built:
        return ", ".join(sorted({row.response_mode for row in night.built.examples()}))
    return response_mode(night.run.settings, needs_context(night.run.settings))
