"""One run of a flow: hands jobs to Prefect, holds every phase to its count, tells how it goes."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from uuid import UUID

from prefect.client.schemas.objects import StateDetails
from prefect.filesystems import WritableFileSystem
from prefect.logging import get_run_logger
from prefect.states import Completed

from fanno_core.communities.encoder import Encoder
from fanno_core.dataset.record import MAY_BE_EMPTY, PhaseRecord, record_phase, write_rejected, write_run_record
from fanno_core.errors import BadCorpus, OutBusy, RunStops
from fanno_core.outcome import Usage
from fanno_core.responses.answers import require_mode
from fanno_core.settings import Settings
from fanno_core.store.contracts import Rejection
from fanno_core.store.durable import sweep_temporaries
from fanno_core.store.ledger import Entry, FileRef, Store
from fanno_core.store.location import Location, open_location
from fanno_core.store.ownership import owned
from fanno_core.teachers.answer_journal import shared_journal
from fanno_core.teachers.licences import require_open
from fanno_core.teachers.protocol import Identity
from tasks.budget import Budget
from tasks.edge import one_sentence
from tasks.phase import Finished, Job, Phase, Step, make_job
from tasks.reaping import known_owner
from tasks.results import result_storage
from tasks.runners import Runner, task_runner
from tasks.teachers import needs_context, teacher_of, with_servers
from tasks.telling import PhaseOver, Progress, ShownProgress, leave_funnel, nothing_left
from tasks.telling import log as progress_log

log = logging.getLogger("fanno.run")
# All files of a job's first input get an arrow in the UI, those of another only if they are few: a thousand tasks that
# all look at the same hundred shards would be a graph that nobody can read, and a large one.
MOST_ARROWS = 8


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
        """The extra table of that name of every entry that has one."""
        return tuple(entry.extras[name] for entry in self.entries if name in entry.extras)

    def __add__(self, other: Shards) -> Shards:
        return Shards((*self.entries, *other.entries))


Refs = Shards | tuple[FileRef, ...]


@dataclass
class Run:
    """A run in progress. Phases are added to its record as they end, and to `versions` as they begin.

    A run that is `partial` does what has changed since another: a phase may keep nothing, and the record of the whole
    is left by whoever knows the rest. Jobs for which its budget has no room are not begun: they are `postponed`.
    """

    out: Location
    settings: Settings
    runner: Runner
    results: WritableFileSystem | None
    still_owned: Callable[[], None]
    teacher: Identity
    encoder: str
    records: list[PhaseRecord] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    versions: dict[str, int] = field(default_factory=dict)
    progress: dict[str, Progress] = field(default_factory=dict)
    shown: ShownProgress = field(default_factory=ShownProgress)
    makers: dict[str, UUID] = field(default_factory=dict)
    # Prefect knows results by their address in memory: where one is let go, another object may be taken for it.
    finished: list[Finished] = field(default_factory=list)
    recorded: int = -1
    partial: bool = False
    budget: Budget | None = None
    postponed: list[Job] = field(default_factory=list)

    async def map(self, step: Step, **over: Refs) -> Shards:
        """A phase as one job for each shard of its one input."""
        ((role, shards),) = over.items()
        refs = refs_of(shards)
        jobs = [
            self.job(step.phase, {role: (ref,)}, label=f"part {number} of {len(refs)}")
            for number, ref in enumerate(refs, 1)
        ]
        return await self.do(step, jobs)

    async def one(self, step: Step, **inputs: Refs) -> Shards:
        """A phase as one job over all of its inputs."""
        return await self.do(step, [self.job(step.phase, inputs)])

    def job(
        self, phase: Phase, inputs: Mapping[str, Refs], part: Mapping[str, Any] | None = None, label: str = ""
    ) -> Job:
        """One job over all of its inputs; `part` says which part of the work it is, where inputs do not."""
        named = {role: refs_of(shards) for role, shards in inputs.items()}
        return make_job(phase, str(self.out), self.settings, named, label, part or {})

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
        self._told(Progress(name, most))
        await self.shown.show(self.progress[name])
        finished = []
        async for job in jobs:
            finished.append(job)
            await self.shown.show(self.progress[name])
        entries = tuple(job.entry for job in finished)
        self.entries += entries
        fresh = [job.entry for job in finished if not job.reused]
        record = record_phase(name, entries, fresh, time.perf_counter() - started)
        self.records.append(record)
        _tell(record)
        if not (record.rows_kept or self.partial or name in MAY_BE_EMPTY):
            raise BadCorpus(nothing_left(record, self._first_rejected(entries)))
        return Shards(entries)

    async def _finish(self, step: Step, jobs: Sequence[Job]) -> AsyncIterator[Finished]:
        slots = asyncio.Semaphore(self.settings.run.concurrency)
        over = False

        async def one(job: Job) -> Finished | None:
            async with slots:
                return None if over else await self.submit_within(step, job)

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

    async def submit_within(self, step: Step, job: Job) -> Finished | None:
        """The same as `submit` where the budget has room for the job; elsewhere None, and the job is `postponed`.

        Raises:
            BadSettings: the job alone is larger than a whole budget.
            FannoError: what `submit` raises.
        """
        if not self.budget:
            return await self.submit(step, job)
        async with self.budget.room_for(job) as room:
            if not room:
                self.postponed.append(job)
                return None
            finished = await self.submit(step, job)
            room.spent = Usage() if finished.reused else finished.entry.usage
            return finished

    async def submit(self, step: Step, job: Job) -> Finished:
        """Hands one job to Prefect and waits for it without blocking the flow.

        Raises:
            OutBusy: another run took the folder over.
            FannoError: what the task raised.
        """
        self.still_owned()
        self.versions[step.phase.name] = step.phase.version
        task = step.task.with_options(result_storage=self.results) if self.results else step.task
        first, *others = job.inputs.values() or ((),)
        shown = [*first, *(ref for refs in others if len(refs) <= MOST_ARROWS for ref in refs)]
        future = self.runner.submit(task, parameters={"job": job}, wait_for=self.makers_of(shown))
        await asyncio.to_thread(future.wait)
        finished: Finished = future.result()
        self.finished.append(finished)
        self.makers |= dict.fromkeys((ref.path for ref in finished.entry.files), future.task_run_id)
        # A cached result was made by an earlier run, whatever it says of itself.
        finished = replace(finished, reused=finished.reused or future.state.name == "Cached")
        self._told(self.progress[step.phase.name].after(finished.entry, finished.reused))
        return finished

    def makers_of(self, refs: Iterable[FileRef]) -> list[Any]:
        """What stands for the tasks that made these files: to wait for them draws the arrows of the UI's graph.

        Files that an earlier version carried over have none.
        """
        makers = dict.fromkeys(self.makers[ref.path] for ref in refs if ref.path in self.makers)
        return [Completed(data=maker.hex, state_details=StateDetails(task_run_id=maker)) for maker in makers]

    async def leave_record(self) -> None:
        """Writes `run.json` and `rejected/`, unless they tell of every phase that has ended."""
        if self.recorded < len(self.records) and not self.partial:
            write_rejected(Store(self.out), self.entries)
            write_run_record(self.out, self.records, self.entries, self.settings, self.teacher, self.encoder)
            self.recorded = len(self.records)

    def _told(self, progress: Progress) -> None:
        self.progress[progress.phase] = progress
        progress_log.debug(progress)

    def _first_rejected(self, entries: Sequence[Entry]) -> Rejection | None:
        store = Store(self.out)
        return next((row for entry in entries for row in store.read(entry.rejected, Rejection)), None)


OURS = ("work", "dataset", "rejected", "report")
VERSIONS = "versions"


def refs_of(shards: Refs) -> tuple[FileRef, ...]:
    """The files themselves."""
    return shards.kept if isinstance(shards, Shards) else shards


def _tell(record: PhaseRecord) -> None:
    over = PhaseOver(record)
    progress_log.info(over)
    get_run_logger().info(str(over))


@asynccontextmanager
async def open_run(
    out: str, settings: Settings, open_teachers_only: bool = False, partial: bool = False
) -> AsyncIterator[Run]:
    """A run that owns its output folder; when it ends, well or not, `run.json` and `rejected/` say what it did.

    Args:
        out: the output folder.
        settings: all settings.
        open_teachers_only: refuse a teacher whose declared licence is not open.
        partial: the run does what has changed, see `Run`.

    Raises:
        BadSettings: a journal is shared, but the folder lies on an object store; or the teacher cannot answer in the
            response mode asked for.
        OutBusy: another run owns the folder.
        MissingExtra: a package is not installed that the folder's place, the runner or the teacher needs.
        RunStops: the folder cannot be written or is kept by `fanno refresh`, or the teacher or the cluster cannot be
            used.
    """
    folder = open_location(out)
    if not partial and (folder / VERSIONS).is_dir():
        raise RunStops(
            f"{out} holds versions that `fanno refresh` keeps; refresh it (with --rebuild to make it anew), or name "
            "another --out"
        )
    settings = _with_files(_with_journal(with_servers(settings), folder))
    if open_teachers_only or settings.teacher.open_only:
        require_open(settings.teacher)
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(settings.run.concurrency + 4))
    async with AsyncExitStack() as held:
        held.enter_context(one_sentence("the run"))
        # In a thread: on an object store it may watch for a minute whether another owner is still alive.
        still_owned = await asyncio.to_thread(held.enter_context, owned(folder))
        await held.enter_async_context(known_owner(folder))
        runner = held.enter_context(task_runner(settings.run))
        sweep_temporaries(folder / name for name in OURS)
        # Asked before any work, so that a model that cannot be used stops the run at once.
        teacher = await asyncio.to_thread(lambda: teacher_of(settings).identity)  # which may wait for a server
        require_mode(settings, needs_context(settings))
        encoder = Encoder(settings.encoder).identity
        results = await result_storage(folder)
        run = Run(folder, settings, runner, results, still_owned, teacher, encoder, partial=partial)
        try:
            yield run
        except OutBusy:
            raise  # the folder is another run's now
        except BaseException:
            with _only_told():
                await _end(run)
            raise
        await _end(run)


async def _end(run: Run) -> None:
    await run.leave_record()
    await leave_funnel(run.records)


@contextmanager
def _only_told() -> Iterator[None]:
    """Keeps the error that ended the run before the one that its record then meets."""
    try:
        yield
    except Exception as error:
        log.warning("the record of the run could not be written: %s", type(error).__name__)


def _with_files(settings: Settings) -> Settings:
    """The settings, with benchmarks that are found from every folder."""
    files = tuple(str(Path(name).absolute()) for name in settings.decontaminate.files)
    return settings.model_copy(update={"decontaminate": settings.decontaminate.model_copy(update={"files": files})})


def _with_journal(settings: Settings, out: Location) -> Settings:
    journal = shared_journal(out, settings.run.journal)
    return settings.model_copy(update={"run": settings.run.model_copy(update={"journal": journal})})
