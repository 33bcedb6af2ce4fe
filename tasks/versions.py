"""From the last version to the next: how a night begins, and what it leaves."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from prefect.cache_policies import NO_CACHE
from prefect.tasks import MaterializingTask

from fanno_core.communities.encoder import Encoder
from fanno_core.dataset.current import REPORT, current, lead_to_report, publish
from fanno_core.dataset.gates import Measures
from fanno_core.dataset.made import open_version
from fanno_core.dataset.manifest import HELD, Version, folder_of, local, read_state, read_version
from fanno_core.dataset.sweep import sweep
from fanno_core.documents.sources import Source
from fanno_core.errors import BadSettings
from fanno_core.outcome import Usage
from fanno_core.refresh.remembered import forgotten_in
from fanno_core.refresh.state import State
from fanno_core.refresh.tables import Tables
from fanno_core.settings import Settings
from fanno_core.store.carried import look_up
from fanno_core.store.contracts import Example
from fanno_core.store.durable import write_durably
from fanno_core.store.ledger import Store
from fanno_core.store.location import open_location
from fanno_core.teachers.answer_journal import FILE as JOURNAL
from fanno_core.teachers.forget_journal import let_go
from tasks.adopting import take_over
from tasks.assets import corpus_assets, dataset_asset, tell_of_dataset
from tasks.budget import Budget
from tasks.edge import one_sentence
from tasks.events import emit_held
from tasks.manners import manners, same_manner
from tasks.methods import require_fanno
from tasks.new_version import work_of, write_night
from tasks.night import Night
from tasks.run import Run, open_run

# Rows of a task: a night's work is little, and should not wait for one large piece.
SHARD_ROWS = 128
ROWS = ("added", "retired", "answered anew")
# The version whose withdrawn documents have left the journal.
LET_GO = "let-go.txt"
LIMITS = ("max_calls", "max_tokens", "max_seconds")


@asynccontextmanager
async def open_night(
    out: str, sources: Sequence[Source], settings: Settings, open_teachers_only: bool = False, rebuild: bool = False
) -> AsyncIterator[Night]:
    """A night that owns its folder and begins with the tables of its current version.

    What `fanno run` has left in the folder becomes its first version before anything else.

    Raises:
        RunStops: the folder lies on an object store, or its rows were made in another manner and `rebuild` is not set.
        BadSettings: the settings are for another method, or choose among the rows.
        ShardDamaged: the current version cannot be read.
    """
    require_fanno(settings)
    if settings.select.by or settings.method.budget:
        raise BadSettings("a refresh keeps every row: choose with `fanno select`, bound it with refresh.max_calls")
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
            night = await asyncio.to_thread(_begin, run, folder, sources, rebuild)
        night.shard_rows = shard_rows
        yield night


def _begin(run: Run, folder: Path, sources: Sequence[Source], rebuild: bool) -> Night:
    took_over = take_over(run, folder, sources, rebuild)
    before = current(folder)
    forgotten = forgotten_in(folder)
    if before is None:
        return Night(run, Tables(Store(folder), State()), forgotten=forgotten)
    told = open_version(folder, before.number).record["refresh"]
    known = Measures(**told["measures"])
    if rebuild:
        empty = Tables(Store(folder), State())
        return Night(run, empty, before.number, measures=known, forgotten=forgotten, took_over=took_over)
    same_manner(told["manner"], manners(run.settings), f"version {before.number}")
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
        took_over=took_over,
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
        version = await asyncio.to_thread(write_night, night)
        folder = local(night.run.out)
        if version.status != HELD:
            version = await asyncio.to_thread(publish, folder, version.number)
            tell_of_dataset(folder)
            await asyncio.to_thread(let_withdrawn_go, folder, version.number)
        await asyncio.to_thread(_report, night, version)
        if version.status != HELD:
            await asyncio.to_thread(lead_to_report, folder)
        await asyncio.to_thread(_clear, night)
    return version


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
    spent = sum((usage for work in work_of(night).values() for usage in work.asked.values()), Usage())
    out, limits = local(night.run.out), night.run.settings.refresh
    return {
        "status": version.status,
        "version": version.number,
        "took_over": night.took_over,
        "documents": {name: int(counts.get(name, 0)) for name in ("added", "changed", "withdrawn", "same")},
        "rows": {"now": version.rows, **{name: int(counts.get(f"rows {name}", 0)) for name in ROWS}},
        "calls": spent.calls,
        "tokens": spent.prompt_tokens + spent.completion_tokens,
        "waiting": night.waiting(),
        "drift": counts.get("drift", 0.0),
        "rebuild": counts.get("drift", 0.0) > limits.max_drift,
        "reasons": list(version.reasons),
        "path": str(folder_of(out, version.number)),
        "report": (folder_of(out, version.number) / REPORT).is_dir(),
    }


def unchanged(night: Night) -> dict[str, Any]:
    """What a refresh tells where nothing has changed; a run that was taken over is a version that there was not."""
    told = told_of(night, read_version(local(night.run.out), night.number))
    return told if night.took_over else {**told, "status": "unchanged"}
