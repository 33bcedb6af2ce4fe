"""One run of a flow: hands jobs to Prefect, holds every phase to its count, tells how it goes."""

from __future__ import annotations

import asyncio
import fcntl
import logging
import time
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from prefect.artifacts import acreate_progress_artifact, acreate_table_artifact, aupdate_progress_artifact
from prefect.logging import get_run_logger

from fanno_core.communities.encoder import Encoder
from fanno_core.dataset.record import PhaseRecord, record_phase, write_rejected, write_run_record
from fanno_core.errors import BadCorpus, OutBusy, RunStops
from fanno_core.settings import Settings
from fanno_core.store.contracts import Rejection
from fanno_core.store.durable import sweep_temporaries
from fanno_core.store.ledger import Entry, FileRef, Store
from tasks.phase import Finished, Job, Phase, Step, make_job, teacher_name

log = logging.getLogger("fanno.run")


@dataclass(frozen=True)
class Shards:
    """What a phase made: its ledger entries, in the order of its jobs."""

    entries: tuple[Entry, ...]

    @property
    def kept(self) -> tuple[FileRef, ...]:
        """Every kept shard."""
        return tuple(ref for entry in self.entries for ref in entry.kept)

    @property
    def rows(self) -> int:
        """Kept rows."""
        return sum(ref.rows for ref in self.kept)

    def labelled(self, prefix: str) -> tuple[FileRef, ...]:
        """The kept shards whose label starts so, in the order of their labels."""
        return tuple(sorted((ref for ref in self.kept if ref.label.startswith(prefix)), key=lambda ref: ref.label))

    def table(self, name: str) -> tuple[FileRef, ...]:
        """The extra table of that name of every entry."""
        return tuple(entry.extras[name] for entry in self.entries)

    def __add__(self, other: Shards) -> Shards:
        return Shards((*self.entries, *other.entries))


Refs = Shards | tuple[FileRef, ...]


@dataclass
class Run:
    """A run in progress. Phases are added to its record as they end."""

    out: Path
    settings: Settings
    records: list[PhaseRecord] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)

    async def map(self, step: Step, **over: Refs) -> Shards:
        """A phase as one job for each shard of its one input."""
        ((role, shards),) = over.items()
        refs = refs_of(shards)
        return await self.do(
            step,
            [
                make_job(step.phase, str(self.out), self.settings, {role: (ref,)}, f"{number}/{len(refs)}")
                for number, ref in enumerate(refs, 1)
            ],
        )

    async def one(self, step: Step, **inputs: Refs) -> Shards:
        """A phase as one job over all of its inputs."""
        return await self.do(step, [self.job(step.phase, {}, **inputs)])

    def job(self, phase: Phase, part: Mapping[str, Any], **inputs: Refs) -> Job:
        """One job over all of its inputs."""
        named = {role: refs_of(shards) for role, shards in inputs.items()}
        return make_job(phase, str(self.out), self.settings, named, part=part)

    async def do(self, step: Step, jobs: Sequence[Job]) -> Shards:
        """Runs the jobs of a phase and adds them to the record.

        Raises:
            BadCorpus: nothing was kept.
            RowsLost: candidates are not kept plus rejected.
            FannoError: what a task raised.
        """
        return await self.do_all(step.phase.name, self._finish(step, jobs), len(jobs))

    async def do_all(self, name: str, jobs: AsyncIterator[Finished], most: int) -> Shards:
        """Collects the finished jobs of a phase, at most so many, and adds them to the record."""
        started = time.perf_counter()
        progress = await acreate_progress_artifact(0.0, description=f"{name}: {most} tasks")
        finished = []
        async for job in jobs:
            finished.append(job)
            await aupdate_progress_artifact(progress, 100.0 * len(finished) / max(most, len(finished)))
        entries = tuple(job.entry for job in finished)
        self.entries += entries
        fresh = [job.entry for job in finished if not job.reused]
        record = record_phase(name, entries, fresh, time.perf_counter() - started)
        self.records.append(record)
        self._tell(record)
        if not record.rows_kept and name not in MAY_BE_EMPTY:
            raise BadCorpus(_nothing_left(record, self._first_rejected(entries)))
        return Shards(entries)

    async def _finish(self, step: Step, jobs: Sequence[Job]) -> AsyncIterator[Finished]:
        slots = asyncio.Semaphore(self.settings.run.concurrency)
        over = False

        async def one(job: Job) -> Finished | None:
            async with slots:
                return None if over else await submit(step, job)

        pending = [asyncio.ensure_future(one(job)) for job in jobs]
        try:
            for job in pending:
                finished = await job
                if finished:
                    yield finished
        finally:
            # After a failure no further job starts, and those that run are waited for: they write to OUT, which
            # this run owns only until it ends.
            over = True
            await asyncio.gather(*pending, return_exceptions=True)

    def _first_rejected(self, entries: Sequence[Entry]) -> Rejection | None:
        store = Store(self.out)
        return next((row for entry in entries for row in store.read(entry.rejected, Rejection)), None)

    def _tell(self, record: PhaseRecord) -> None:
        line = progress_line(record)
        log.info(line)
        get_run_logger().info(line)


MAY_BE_EMPTY = {"augment"}
OURS = ("work", "dataset", "rejected")


def refs_of(shards: Refs) -> tuple[FileRef, ...]:
    """The files themselves."""
    return shards.kept if isinstance(shards, Shards) else shards


async def submit(step: Step, job: Job) -> Finished:
    """Hands one job to Prefect and waits for it without blocking the flow."""
    future = step.task.submit(job)
    await asyncio.to_thread(future.wait)
    finished: Finished = future.result()
    # A cached result was made by an earlier run, whatever it says of itself.
    return Finished(finished.out, finished.entry, finished.reused or future.state.name == "Cached")


@asynccontextmanager
async def open_run(out: str, settings: Settings) -> AsyncIterator[Run]:
    """A run that owns its output folder; when it ends, well or not, `run.json` and `rejected/` say what it did.

    Raises:
        OutBusy: another run owns the folder.
        RunStops: the folder cannot be written.
    """
    folder = Path(out).expanduser().resolve()
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(settings.run.concurrency + 4))
    with _owned(folder):
        sweep_temporaries(folder / name for name in OURS)
        # Asked before any work, so that a model that cannot be used stops the run at once.
        teacher, encoder = teacher_name(settings), Encoder(settings.encoder).identity
        run = Run(folder, settings)
        try:
            yield run
        finally:
            write_rejected(Store(folder), run.entries)
            write_run_record(folder, run.records, settings, teacher, encoder)
            await _leave_funnel(run.records)


def _owned(folder: Path) -> IO[str]:
    """A lock on the output folder, which ends with this process however it ends."""
    try:
        (folder / "work").mkdir(parents=True, exist_ok=True)
        file = (folder / "work" / "lock").open("w")
    except OSError as error:
        raise RunStops(f"--out {folder}: {error.strerror}; name a folder that can be written") from None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        raise OutBusy(f"another run is writing to {folder}; wait for it, or name another --out") from None
    return file


async def _leave_funnel(records: Iterable[PhaseRecord]) -> None:
    table = [
        {
            "phase": record.name,
            "rows in": record.rows_in,
            "candidates": record.candidates,
            "kept": record.rows_kept,
            "rejected": ", ".join(f"{reason} {count}" for reason, count in record.rejected.items()) or "-",
            "teacher calls": record.teacher_calls,
            "tokens": record.prompt_tokens + record.completion_tokens,
            "tasks (cached)": f"{record.tasks} ({record.tasks_cached})",
            "seconds": record.seconds,
        }
        for record in records
    ]
    await acreate_table_artifact(table, key="funnel", description="From documents to rows, phase by phase.")


def progress_line(record: PhaseRecord) -> str:
    """A phase in one line: counts, rate, and how much of it was there already."""
    cached = f"{record.tasks_cached}/{record.tasks} cached" if record.tasks_cached else f"{record.tasks} tasks"
    rate = f"{record.candidates / record.seconds:,.0f}/s" if record.seconds and not record.tasks_cached else "-"
    return (
        f"{record.name:<12}{record.candidates:>8,} candidates{record.rows_kept:>8,} kept"
        f"{record.candidates - record.rows_kept:>8,} rejected{record.seconds:>8.1f} s{rate:>10}  {cached}"
    )


def _nothing_left(record: PhaseRecord, example: Rejection | None) -> str:
    reasons = ", ".join(f"{reason} {count:,}" for reason, count in record.rejected.items()) or "no rows came in"
    such_as = f", such as {example.source}: {example.reason} ({example.detail})" if example else ""
    return (
        f"nothing is left after phase {record.name}: {reasons}{such_as}; see rejected/ in the output folder, "
        "then give other documents or change the settings of that phase"
    )
