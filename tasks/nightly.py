"""Nights that were missed are caught up once: of those that wait, the last alone does the work.

A schedule's runs wait while no worker is up (Prefect calls them late), and while the night before them is under way.
All of them would then do the same, one after the other, as each looks at the corpus as it is now.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

from prefect import runtime
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterCreatedBy, FlowRunFilterExpectedStartTime
from prefect.client.schemas.objects import State
from prefect.client.schemas.sorting import FlowRunSort
from prefect.states import Completed

INSTANT = timedelta(microseconds=1)


async def later_night() -> datetime | None:
    """When the last night after this one was due, by the same schedule and up to now; None where there is none.

    Whatever became of that night counts: where it has failed, or a person has cancelled it, an older one does not take
    its place. A run that no schedule has made is never overtaken.
    """
    name = runtime.flow_run.get_id()
    if not name:
        return None
    async with get_client() as client:
        run = await client.read_flow_run(UUID(name))
        if not (run.auto_scheduled and run.created_by and run.created_by.id and run.expected_start_time):
            return None
        due = FlowRunFilterExpectedStartTime(after_=run.expected_start_time + INSTANT, before_=datetime.now(UTC))
        same = FlowRunFilterCreatedBy(id_=[run.created_by.id])
        later = await client.read_flow_runs(
            flow_run_filter=FlowRunFilter(created_by=same, expected_start_time=due),
            sort=FlowRunSort.EXPECTED_START_TIME_DESC,
            limit=1,
        )
    return later[0].expected_start_time if later else None


def skipped(later: datetime) -> State[None]:
    """The end of a night whose work a later one does: completed, under the name Skipped."""
    return Completed(
        name="Skipped",
        message=f"the night that was due at {later:%Y-%m-%d %H:%M:%S} UTC does what this one would have done",
    )
