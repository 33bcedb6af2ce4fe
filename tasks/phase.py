"""What makes a phase of `fanno_core` a cached Prefect task.

A task takes a `Job` (which shards, which settings) and hands back `Finished` (which shards, how many rows). Its
cache key is the job's fingerprint. Prefect's cache is a view of the ledger under OUT: when Prefect loads a cached
result, `FinishedSerializer` looks the work up in the ledger, and raises, which Prefect takes as a miss, unless it
stands there and every shard is whole. A task that runs asks the ledger too, so a lost cache costs nothing.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import astuple, dataclass, field, replace
from functools import cached_property
from typing import Any, Literal, TypeVar

import numpy as np
from prefect import Task
from prefect.cache_policies import CachePolicy
from prefect.client.schemas.objects import State, TaskRun
from prefect.serializers import Serializer
from prefect.tasks import exponential_backoff

from fanno_core.communities.encoder import Encoder
from fanno_core.errors import ShardDamaged, TryAgain
from fanno_core.outcome import Outcome
from fanno_core.prompts.loader import load_prompt
from fanno_core.settings import Settings, bytes_of
from fanno_core.store.contracts import Floats, Vector
from fanno_core.store.fingerprint import fingerprint
from fanno_core.store.ledger import Entry, FileRef, Store, by_id
from fanno_core.store.location import open_location
from fanno_core.teachers.answer_journal import AnswerJournal, open_journal
from fanno_core.teachers.journalled import Journalled
from tasks.edge import one_sentence
from tasks.teachers import teacher_of

Row = TypeVar("Row")

RETRIES = 3


@dataclass(frozen=True)
class Phase:
    """What is fixed about a phase.

    Attributes:
        name: as the funnel, the ledger and the UI call it.
        version: raised whenever the same input would give other bytes.
        contract: what its kept rows are.
        settings: names of the settings that can change its bytes: `section` or `section.key`.
        prompts: names of the prompt files that it uses.
        wording: whatever else goes into its prompts.
        options: whatever else of the settings can change its bytes, in another form than they have there.
        asks_teacher, encodes: whether the teacher and the encoder can change its bytes.
        shards: kept rows to labelled shards.
    """

    name: str
    version: int
    contract: type[Any]
    settings: tuple[str, ...]
    prompts: tuple[str, ...] = ()
    wording: Callable[[], Any] = lambda: None
    options: Callable[[Settings], Any] = lambda _: None
    asks_teacher: bool = False
    encodes: bool = False
    shards: Callable[[list[Any], Settings], Mapping[str, list[Any]]] = field(
        default=lambda rows, settings: by_id(rows, settings.run.shard_rows)
    )


@dataclass(frozen=True)
class Job:
    """One piece of a phase's work: everything that a task needs to know, and nothing that it has to compute.

    Attributes:
        out: the output folder.
        phase: the phase, by name.
        key: fingerprint of the work.
        label: what the UI calls this piece of the phase; empty for the whole of it.
        settings: all settings.
        inputs: role to committed files.
        part: plain values that say which part of the work this is.
    """

    out: str
    phase: str
    key: str
    label: str
    settings: Settings
    inputs: Mapping[str, tuple[FileRef, ...]] = field(default_factory=dict)
    part: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def store(self) -> Store:
        """The output folder's shards and ledger."""
        return Store(open_location(self.out))

    @cached_property
    def journal(self) -> AnswerJournal:
        """The answers of this output folder, or those that it shares; opened when it is first asked."""
        return open_journal(self.store.out, self.settings.run.journal)

    @cached_property
    def teacher(self) -> Journalled:
        """The teacher, behind the journal."""
        return Journalled(teacher_of(self.settings), self.journal)

    @property
    def title(self) -> str:
        """What the UI and errors call the work: `rules, part 1 of 3`."""
        return f"{self.phase}, {self.label}" if self.label else self.phase

    def close(self) -> None:
        """Lets go of what the job has opened."""
        self.journal.close()

    @cached_property
    def encoder(self) -> Encoder:
        """The encoder."""
        return Encoder(self.settings.encoder)

    def rows(self, role: str, contract: Callable[..., Row]) -> list[Row]:
        """The rows of an input, in the order of their keys within each shard."""
        return self.store.read(self.inputs[role], contract)

    def vectors(self, role: str) -> dict[str, Floats]:
        """Vectors by id."""
        return {row.id: row.vector for row in self.rows(role, Vector)}

    def with_part(self, part: Mapping[str, Any]) -> Job:
        """The same work, told where to find things: these values are not in the fingerprint."""
        return replace(self, part={**self.part, **part})

    @property
    def rows_in(self) -> int:
        """Rows of the first input."""
        return sum(ref.rows for ref in next(iter(self.inputs.values()), ()))


@dataclass(frozen=True)
class Finished:
    """A ledger entry, and the output folder it belongs to. `reused` where nothing had to be done."""

    out: str
    entry: Entry
    reused: bool = False


def make_job(
    phase: Phase,
    out: str,
    settings: Settings,
    inputs: Mapping[str, tuple[FileRef, ...]],
    label: str = "",
    part: Mapping[str, Any] | None = None,
) -> Job:
    """A job with its fingerprint: phase, version, settings, prompts, teacher, encoder and input digests."""
    digests = {role: [ref.sha256 for ref in refs] for role, refs in inputs.items()}
    parts = {**manner(phase, settings), "inputs": digests, "part": dict(part or {})}
    key = fingerprint(phase.name, phase.version, parts)
    return Job(out, phase.name, key, label, settings, inputs, part or {})


def manner(phase: Phase, settings: Settings) -> dict[str, Any]:
    """How a phase works whatever its inputs are: settings, prompts, teacher and encoder."""
    parts: dict[str, Any] = {
        "settings": bytes_of(settings, phase.settings),
        "prompts": [load_prompt(name).label for name in phase.prompts],
        "wording": phase.wording(),
    }
    if (options := phase.options(settings)) is not None:
        parts["options"] = options
    if phase.asks_teacher:
        parts["teacher"] = astuple(teacher_of(settings).identity)
    if phase.encodes:
        parts["encoder"] = Encoder(settings.encoder).identity
    return parts


def stack(vectors: Mapping[str, Floats], ids: list[str]) -> Floats:
    """`[n, d]` the vectors of these ids, in their order."""
    return np.stack([vectors[name] for name in ids]) if ids else np.zeros((0, 0), np.float32)


Work = Callable[[Job], Awaitable[Outcome[Any] | Entry]]


@dataclass(frozen=True)
class Step:
    """A phase and the cached Prefect task that does its jobs."""

    phase: Phase
    task: Task[[Job], Finished]


def phase_task(
    phase: Phase,
    kind: Callable[..., Task[[Job], Finished]] = Task,
    tell: Callable[[Job], None] = lambda _: None,
) -> Callable[[Work], Step]:
    """Makes a function from job to outcome a cached Prefect task.

    Args:
        phase: the phase.
        kind: which kind of task.
        tell: tells Prefect of a job that the task has done, or found done.
    """

    def decorate(work: Work) -> Step:
        async def body(job: Job) -> Finished:
            with one_sentence(f"phase {job.title}"):
                finished = await perform(phase, work, job)
                tell(job)
                return finished

        body.__doc__ = work.__doc__
        cached = kind(
            body,
            name=phase.name,
            task_run_name="{job.title}",
            cache_policy=ByFingerprint(),
            result_serializer=FinishedSerializer(),
            persist_result=True,
            cache_result_in_memory=False,
            retries=RETRIES,
            retry_delay_seconds=exponential_backoff(2),
            retry_jitter_factor=0.5,
            retry_condition_fn=is_passing,
        )
        return Step(phase, cached)

    return decorate


async def perform(phase: Phase, work: Work, job: Job) -> Finished:
    """Does a job unless the ledger says that it is done, and commits what came of it.

    Work that writes its own files, as publishing does, hands back the entry that names them.
    """
    # Not `job.out`: in the string that all jobs share, Prefect would see the result of the last task in each of them.
    out = str(job.store.out)
    # Prefect hands the same job to each attempt: one of its own, so that what an attempt asked is counted once.
    job = replace(job)
    done = job.store.find(phase.name, job.key)
    if done:
        return Finished(out, done, reused=True)
    try:
        outcome = await work(job)
    finally:
        job.close()
    if isinstance(outcome, Entry):
        job.store.record(outcome)
        return Finished(out, outcome)
    shards = phase.shards(list(outcome.kept), job.settings)
    asked = job.teacher.asked if phase.asks_teacher else {}
    entry = job.store.commit(phase.name, job.key, job.rows_in, outcome, shards, phase.contract, asked)
    return Finished(out, entry)


async def is_passing(_task: Task[..., Any], _run: TaskRun, state: State[Any]) -> bool:
    """Whether a failure is passing, so that the task is worth trying again."""
    return isinstance(await state.aresult(raise_on_failure=False), TryAgain)


class ByFingerprint(CachePolicy):
    """The cache key is the job's fingerprint, within its output folder."""

    def compute_key(
        self,
        task_ctx: Any,  # noqa: ARG002 - Prefect's signature
        inputs: dict[str, Any],
        flow_parameters: dict[str, Any],  # noqa: ARG002
        **_: Any,
    ) -> str | None:
        """Folder, phase and fingerprint."""
        job: Job = inputs["job"]
        return f"{job.phase}-{job.key}-{fingerprint('out', 1, {'path': str(open_location(job.out))})}"


# Prefect registers subclasses of the plain class only.
class FinishedSerializer(Serializer):
    """Results as small JSON that names the work. Loading fails, and so the cache misses, unless it is whole."""

    type: Literal["fanno-finished"] = "fanno-finished"

    def dumps(self, obj: Finished) -> bytes:
        """The JSON text of a result."""
        return json.dumps({"out": obj.out, "phase": obj.entry.phase, "key": obj.entry.key}).encode()

    def loads(self, blob: bytes) -> Finished:
        """What the ledger says of the work that a JSON text names.

        Raises:
            ShardDamaged: the ledger does not know it, or a shard is missing or changed.
        """
        named = json.loads(blob)
        entry = Store(open_location(named["out"])).find(named["phase"], named["key"])
        if entry is None:
            raise ShardDamaged(f"work of phase {named['phase']} is not whole any more; it will be done again")
        return Finished(named["out"], entry, reused=True)
