"""From the last version to the next: how a night begins, and what it leaves."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from prefect.cache_policies import NO_CACHE
from prefect.tasks import MaterializingTask

from fanno_core.communities.encoder import Encoder
from fanno_core.dataset.card import Provenance, run_command
from fanno_core.dataset.current import current, publish
from fanno_core.dataset.gates import Measures, held_back, measures
from fanno_core.dataset.made import open_version
from fanno_core.dataset.manifest import HELD, Version, folder_of, local, read_state, read_version
from fanno_core.dataset.record import made_with
from fanno_core.dataset.sweep import sweep
from fanno_core.dataset.versions import NewVersion, write_version
from fanno_core.decontamination.benchmarks import find_benchmarks
from fanno_core.errors import RunStops
from fanno_core.outcome import Usage
from fanno_core.refresh.entries import QUESTIONS, Work, entries_of, records_of
from fanno_core.refresh.remembered import forgotten_in
from fanno_core.refresh.state import State
from fanno_core.refresh.tables import Tables
from fanno_core.responses.answers import response_mode
from fanno_core.settings import Settings
from fanno_core.store.carried import look_up
from fanno_core.store.contracts import Example, Vector
from fanno_core.store.durable import write_durably
from fanno_core.store.fingerprint import fingerprint
from fanno_core.store.ledger import Store
from fanno_core.store.location import open_location
from fanno_core.teachers.answer_journal import FILE as JOURNAL
from fanno_core.teachers.forget_journal import let_go
from fanno_core.teachers.licences import declared_licence
from tasks.assets import corpus_assets, dataset_asset, tell_of_dataset
from tasks.budget import Budget
from tasks.changes import CHANGES, STANDING
from tasks.communities import COMMUNITIES, ENCODE
from tasks.decontaminate import PHASE as DECONTAMINATE
from tasks.edge import one_sentence
from tasks.events import emit_held
from tasks.ingest import PHASE as INGEST
from tasks.instructions import AUGMENT, NOVELTY, SEEDS
from tasks.joining import JOINING
from tasks.night import Night
from tasks.phase import Phase, manner, stack
from tasks.responses import phase_of
from tasks.run import Run, open_run
from tasks.screen import DUPLICATES, PRIVACY, RULES, VERDICTS
from tasks.teachers import needs_context, teacher_name

# Rows of a task: a night's work is little, and should not wait for one large piece.
SHARD_ROWS = 128
# Under which phase of the whole flow a night's phase is counted.
COUNTED_AS = {"changes": "ingest", "standing": "duplicates", "joining": "communities", "turns": "queue"}
ROWS = ("added", "retired", "answered anew")
# The version whose withdrawn documents have left the journal.
LET_GO = "let-go.txt"
LIMITS = ("max_calls", "max_tokens", "max_seconds")


@asynccontextmanager
async def open_night(
    out: str, settings: Settings, open_teachers_only: bool = False, rebuild: bool = False
) -> AsyncIterator[Night]:
    """A night that owns its folder and begins with the tables of its current version.

    Raises:
        RunStops: the folder lies on an object store, or its rows were made in another manner and `rebuild` is not set.
        ShardDamaged: the current version cannot be read.
    """
    folder = local(open_location(out))
    shard_rows = settings.run.shard_rows
    small = min(shard_rows, SHARD_ROWS)
    settings = settings.model_copy(update={"run": settings.run.model_copy(update={"shard_rows": small})})
    async with open_run(str(folder), settings, open_teachers_only, partial=True) as run:
        if any(getattr(settings.refresh, name) for name in LIMITS):
            run.budget = Budget(settings)
            fitting = min(run.budget.rows_a_job(phase) for phase in ("verdicts", "responses"))
            update = {"run": run.settings.run.model_copy(update={"shard_rows": min(small, fitting)})}
            run.settings = run.settings.model_copy(update=update)
        with one_sentence("the refresh"):
            night = await asyncio.to_thread(_begin, run, folder, rebuild)
        night.shard_rows = shard_rows
        yield night


def _begin(run: Run, folder: Path, rebuild: bool) -> Night:
    before = current(folder)
    forgotten = forgotten_in(folder)
    if before is None:
        return Night(run, Tables(Store(folder), State()), forgotten=forgotten)
    told = open_version(folder, before.number).record["refresh"]
    known = Measures(**told["measures"])
    if rebuild:
        return Night(run, Tables(Store(folder), State()), before.number, measures=known, forgotten=forgotten)
    _same_manner(told["manner"], manners(run), before.number)
    let_withdrawn_go(folder, before.number)  # which a night that was killed, or held back, has not done
    return Night(
        run,
        Tables(Store(folder), read_state(folder, before.number)),
        before.number,
        next_order=told["next_order"],
        next_iteration=told["next_iteration"],
        forgotten=forgotten,
        is_first=False,
        measures=known,
    )


def manners(run: Run) -> dict[str, str]:
    """How each phase works tonight, as a digest."""
    mode = response_mode(run.settings, needs_context(run.settings))
    phases: list[Phase] = [INGEST, RULES, DUPLICATES, PRIVACY, VERDICTS, ENCODE, COMMUNITIES, SEEDS, NOVELTY, AUGMENT]
    phases += [phase_of(mode), DECONTAMINATE, CHANGES, STANDING, JOINING]
    found = {phase.name: fingerprint(phase.name, phase.version, manner(phase, run.settings)) for phase in phases}
    # Rows that stand were held against the benchmarks of their night alone.
    benchmarks = [[file.name, file.digest] for file in find_benchmarks(run.settings.decontaminate)]
    return found | {DECONTAMINATE.name: fingerprint(found[DECONTAMINATE.name], 0, {"files": benchmarks})}


def _same_manner(before: Mapping[str, str], now: Mapping[str, str], number: int) -> None:
    """Refuses to mix rows that were made in two manners."""
    changed = [name for name in now if now[name] != before.get(name)]
    if changed:
        raise RunStops(
            f"phases {', '.join(changed)} work otherwise than for version {number}: settings, prompts, the teacher, "
            "the encoder or FANNO itself have changed; set them back, or make everything anew with --rebuild"
        )


async def publish_version(night: Night, corpus: Sequence[str]) -> dict[str, Any]:
    """What there is to tell of the next version, which is the current one where it passes the limits."""
    run = night.run
    task = MaterializingTask(
        _publish, name="publish", task_run_name="version of {rows:,} rows", assets=(), persist_result=False,
        cache_policy=NO_CACHE,
    )  # fmt: skip
    made = dataset_asset(run.out, run.settings)
    task = task.with_options(assets=[made], asset_deps=[*corpus_assets(corpus)])
    run.still_owned()
    version: Version = await task(night, night.tables.rows("examples"))
    if version.status == HELD:
        emit_held(version.number, version.reasons, str(run.out))
    return told_of(night, version)


async def _publish(night: Night, rows: int) -> Version:  # noqa: ARG001 - rows are in the task's name
    """Writes the version that the night has come to, and publishes it where it may be."""
    with one_sentence("the new version"):
        version = await asyncio.to_thread(_written, night)
        folder = local(night.run.out)
        if version.status != HELD:
            version = await asyncio.to_thread(publish, folder, version.number)
            tell_of_dataset(folder)
            await asyncio.to_thread(let_withdrawn_go, folder, version.number)
        await asyncio.to_thread(_report, night, version)
        await asyncio.to_thread(_clear, night)
    return version


def _written(night: Night) -> Version:
    run, tables = night.run, night.tables
    out = local(run.out)
    rows = tables.store.read(tables["examples"], Example)
    instructions = sum(tables.rows(name) for name in QUESTIONS)
    vectors = {row.id: row.vector for name in QUESTIONS.values() for row in tables.store.read(tables[name], Vector)}
    found = measures(rows, instructions, stack(vectors, [row.id for row in rows]), run.settings)
    reasons = held_back(found, night.measures, _lost(night, rows), run.settings)
    entries = entries_of(tables.state.tables, bool(run.settings.decontaminate.files))
    phases = [asdict(record) for record in records_of(entries, _work(night))]
    record = {
        "phases": phases,
        **made_with(run.settings, run.teacher, run.encoder),
        "communities": {"drift": night.counts.get("drift", 0.0), "moved": int(night.counts.get("moved", 0))},
        "refresh": {
            "manner": manners(run),
            "withdrawn": sorted(night.withdrawn),
            "answered_anew": sorted(night.leaning),
            "measures": asdict(found),
            "counts": {name: int(night.counts[name]) for name in sorted(night.counts) if name != "drift"},
            "next_order": night.next_order,
            "next_iteration": night.next_iteration,
        },
    }
    new = NewVersion(
        tables.state, entries, record, _provenance(run, phases), run.settings.publish, night.number, reasons
    )
    return write_version(out, new)


def _lost(night: Night, rows: Sequence[Example]) -> int:
    """How many rows the last version had that this one has not; a full build may have made each of them otherwise."""
    if night.is_first:
        return max(0, night.measures.rows - len(rows)) if night.measures else 0
    return len(night.retired - {row.id for row in rows})


def _work(night: Night) -> dict[str, Work]:
    """What the night has spent, by phase of the whole flow."""
    spent: dict[str, Work] = {}
    for record in (*night.build, *map(asdict, night.run.records)):
        name = COUNTED_AS.get(record["name"], record["name"])
        asked = {prompt: Usage(**usage) for prompt, usage in record["prompts"].items()}
        spent[name] = spent.get(name, Work()) + Work(asked, record["tasks"], record["tasks_cached"], record["seconds"])
    return spent


def _provenance(run: Run, phases: Sequence[Mapping[str, Any]]) -> Provenance:
    settings = run.settings
    counts = ("name", "candidates", "rows_kept", "rejected")
    return Provenance(
        teacher=teacher_name(settings),
        teacher_licence=declared_licence(settings.teacher),
        encoder=run.encoder,
        mode=response_mode(settings, needs_context(settings)),
        seed=settings.run.seed,
        languages=settings.screen.languages,
        funnel=[{name: phase[name] for name in counts} for phase in phases],
        command=run_command(settings).replace("fanno run", "fanno refresh", 1),
    )


def _report(night: Night, version: Version) -> None:
    """Leaves a report with the version, where the settings ask for one."""
    wanted = {"held": version.status == HELD, "always": True, "never": False}[night.run.settings.refresh.report]
    if wanted and version.rows:
        from fanno_core.report.make import report_on  # draws with Altair, which takes a second to import

        out = local(night.run.out)
        encode = Encoder(night.run.settings.encoder).encode
        report_on(open_version(out, version.number), folder_of(out, version.number), encode)


def let_withdrawn_go(out: Path, number: int) -> None:
    """Takes the answers about what a version has withdrawn out of the journal, unless that is one that runs share."""
    mark = out / "work" / LET_GO
    if mark.is_file() and mark.read_text(encoding="utf-8") == str(number):
        return  # what has come back since, and was answered anew, stays
    told = open_version(out, number).record["refresh"]
    rows = dict.fromkeys(told["answered_anew"], "")
    state = read_state(out, number)
    rows |= {row.id: row.output for row in look_up(Store(out), state["examples"], Example, rows)}
    let_go(out / "work" / JOURNAL, told["withdrawn"], rows)
    write_durably(mark, str(number).encode())


def _clear(night: Night) -> None:
    """Removes what no kept version names, and what the full build has left."""
    out = local(night.run.out)
    sweep(out, night.run.settings.refresh.keep_versions)
    shutil.rmtree(night.building, ignore_errors=True)


def told_of(night: Night, version: Version) -> dict[str, Any]:
    """What a refresh tells at its end."""
    counts = night.counts
    spent = sum((usage for work in _work(night).values() for usage in work.asked.values()), Usage())
    out, limits = local(night.run.out), night.run.settings.refresh
    return {
        "status": version.status,
        "version": version.number,
        "documents": {name: int(counts.get(name, 0)) for name in ("added", "changed", "withdrawn", "same")},
        "rows": {"now": version.rows, **{name: int(counts.get(f"rows {name}", 0)) for name in ROWS}},
        "calls": spent.calls,
        "tokens": spent.prompt_tokens + spent.completion_tokens,
        "waiting": night.waiting(),
        "drift": counts.get("drift", 0.0),
        "rebuild": counts.get("drift", 0.0) > limits.max_drift,
        "reasons": list(version.reasons),
        "path": str(folder_of(out, version.number)),
    }


def unchanged(night: Night) -> dict[str, Any]:
    """What a refresh tells where nothing has changed."""
    return {**told_of(night, read_version(local(night.run.out), night.number)), "status": "unchanged"}
