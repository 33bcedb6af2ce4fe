"""What a run tells of its phases: how far they are, a line each, their funnel, a sentence where nothing is left.

Progress goes to the logger `fanno.progress` as objects, whose text is a line: whoever wants more, such as the command
line's bars, takes the objects. They are told in the process of the flow, wherever its tasks run.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import PurePath
from uuid import UUID

from prefect import runtime
from prefect.artifacts import acreate_progress_artifact, acreate_table_artifact, aupdate_progress_artifact

from fanno_core.dataset.record import PhaseRecord
from fanno_core.store.contracts import Rejection
from fanno_core.store.ledger import Entry

log = logging.getLogger("fanno.progress")


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a phase is; told when it begins (at level DEBUG) and after each of its tasks.

    Attributes:
        phase: its name.
        most: tasks that it has, or fewer where it ends early.
        done: tasks that have ended.
        candidates, kept: rows of these.
        fresh: candidates of the tasks that were not cached.
    """

    phase: str
    most: int
    done: int = 0
    candidates: int = 0
    kept: int = 0
    fresh: int = 0

    def after(self, entry: Entry, reused: bool) -> Progress:
        """The same phase when one more task has ended."""
        return replace(
            self,
            done=self.done + 1,
            candidates=self.candidates + entry.candidates,
            kept=self.kept + entry.rows_kept,
            fresh=self.fresh + (0 if reused else entry.candidates),
        )

    @property
    def percent(self) -> float:
        """Ended tasks in percent of all."""
        return 100.0 * self.done / max(self.most, self.done, 1)

    def __str__(self) -> str:
        return f"{self.phase}: {self.done} of {self.most} tasks, {self.kept:,} of {self.candidates:,} candidates kept"


@dataclass(frozen=True, slots=True)
class PhaseOver:
    """A phase that has ended, and its record; told at level INFO."""

    record: PhaseRecord

    def __str__(self) -> str:
        return progress_line(self.record)


@dataclass
class ShownProgress:
    """The progress of the phase that is being done, as the one artifact of the flow run that moves."""

    artifact: UUID | None = None

    async def show(self, progress: Progress) -> None:
        """Shows how far a phase is."""
        if self.artifact is None:
            self.artifact = await acreate_progress_artifact(progress.percent, key="progress", description=str(progress))
        else:
            await aupdate_progress_artifact(self.artifact, progress.percent, description=str(progress))


def run_name() -> str:
    """What the UI calls the present flow run: the names of what its corpus is made of, and where it goes."""
    parameters = runtime.flow_run.parameters
    names = [PurePath(entry).name or entry for entry in parameters["corpus"]]
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    return f"{names[0] if names else 'nothing'}{more} to {parameters['out']}"


async def leave_funnel(records: Iterable[PhaseRecord]) -> None:
    """Shows the funnel as an artifact of the flow run."""
    table = [
        {
            "phase": record.name,
            "candidates": record.candidates,
            "kept": record.rows_kept,
            "rejected": ", ".join(f"{reason} {count}" for reason, count in record.rejected.items()),
            "seconds": _seconds(record),
            "tasks (cached)": f"{record.tasks} ({record.tasks_cached})",
            "teacher calls": record.teacher_calls,
            "prompt tokens (cached)": f"{record.prompt_tokens} ({record.cached_tokens})",
            "completion tokens": record.completion_tokens,
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
        f"{record.candidates - record.rows_kept:>8,} rejected{_seconds(record):>8} s{rate:>10}  {cached}"
    )


def _seconds(record: PhaseRecord) -> str:
    """The seconds that a phase took; those of one that was there already say nothing of it."""
    return "-" if record.tasks_cached == record.tasks else f"{record.seconds:.1f}"


def nothing_left(record: PhaseRecord, example: Rejection | None) -> str:
    """One sentence for a run that cannot go on because a phase kept no row."""
    reasons = ", ".join(f"{reason} {count:,}" for reason, count in record.rejected.items()) or "no rows came in"
    such_as = f", such as {example.source}: {example.reason} ({example.detail})" if example else ""
    return (
        f"nothing is left after phase {record.name}: {reasons}{such_as}; see rejected/ in the output folder, "
        "then give other documents or change the settings of that phase"
    )
