"""What a run tells of its phases: a line each, the funnel at its end, a sentence where nothing is left."""

from __future__ import annotations

from collections.abc import Iterable

from prefect.artifacts import acreate_table_artifact

from fanno_core.dataset.record import PhaseRecord
from fanno_core.store.contracts import Rejection


async def leave_funnel(records: Iterable[PhaseRecord]) -> None:
    """Shows the funnel as an artifact of the flow run."""
    table = [
        {
            "phase": record.name,
            "rows in": record.rows_in,
            "candidates": record.candidates,
            "kept": record.rows_kept,
            "rejected": ", ".join(f"{reason} {count}" for reason, count in record.rejected.items()) or "-",
            "teacher calls": record.teacher_calls,
            "prompt tokens (cached)": f"{record.prompt_tokens} ({record.cached_tokens})",
            "completion tokens": record.completion_tokens,
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


def nothing_left(record: PhaseRecord, example: Rejection | None) -> str:
    """One sentence for a run that cannot go on because a phase kept no row."""
    reasons = ", ".join(f"{reason} {count:,}" for reason, count in record.rejected.items()) or "no rows came in"
    such_as = f", such as {example.source}: {example.reason} ({example.detail})" if example else ""
    return (
        f"nothing is left after phase {record.name}: {reasons}{such_as}; see rejected/ in the output folder, "
        "then give other documents or change the settings of that phase"
    )
