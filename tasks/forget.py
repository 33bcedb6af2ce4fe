"""Documents taken back: out of the folder, and out of Prefect's database."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Awaitable, Callable, Collection
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.sorting import FlowRunSort
from pydantic import BaseModel

from fanno_core.refresh.passages import Passages
from fanno_core.refresh.traces import Trace, holding, stands_in, traces
from fanno_core.teachers.forget_journal import without_free_pages

PAGE = 200
TRIES = 20
PAUSE_S = 0.5
WAIT_S = 5.0
# The logs of a flow run are deleted after it, by a service of the server.
LOGS_LIMIT_S = 30.0


@dataclass
class Cleared:
    """What was deleted from Prefect's database, by kind, and what stands there still."""

    deleted: dict[str, int] = field(default_factory=dict)
    traces: list[Trace] = field(default_factory=list)


async def clear_prefect(passages: Passages, ids: Collection[str], database: Path | None) -> Cleared:
    """Deletes artifacts that hold a passage or name a row that is gone, and runs whose parameters or logs hold one.

    Prefect's API has no way to delete a line of a log or an event: a log goes with its whole run. Events, which repeat
    what artifacts say, are taken out of the database itself where the server is ours; on another server they stay.

    Args:
        passages: of the texts that are forgotten.
        ids: of the rows that are gone.
        database: the SQLite file of a server of our own; its free pages are cleared. Of another server, only what its
            API tells is known.
    """
    cleared = Cleared()
    async with get_client() as client:
        await _artifacts(client, passages, ids, cleared)
        await _runs(client, passages, cleared)
    if database and database.is_file():
        cleared.traces = await asyncio.to_thread(_database, database, passages, cleared)
    else:
        async with get_client() as client:
            cleared.traces = await _told(client, passages)
    return cleared


async def _artifacts(client: PrefectClient, passages: Passages, ids: Collection[str], cleared: Cleared) -> None:
    names = [name.encode() for name in ids]

    async def read(offset: int) -> list[Any]:
        return [*await client.read_artifacts(limit=PAGE, offset=offset)]

    for artifact in await _all(read):
        data = _bytes(artifact)
        if any(name in data for name in names) or stands_in(data, passages):
            await client.delete_artifact(artifact.id)
            cleared.deleted["artifacts"] = cleared.deleted.get("artifacts", 0) + 1


async def _runs(client: PrefectClient, passages: Passages, cleared: Cleared) -> None:
    async def task_runs(offset: int) -> list[Any]:
        return [*await client.read_task_runs(limit=PAGE, offset=offset)]

    holding = {run.id for run in await _flow_runs(client) if stands_in(_bytes(run), passages)}
    holding |= {log.flow_run_id for log in await _logs(client) if log.flow_run_id and stands_in(_bytes(log), passages)}
    for name in sorted(holding):
        await client.delete_flow_run(name)
    tasks = [run for run in await _all(task_runs) if stands_in(_bytes(run), passages)]
    for run in tasks:
        await client.delete_task_run(run.id)
    cleared.deleted |= {kind: len(found) for kind, found in (("flow runs", holding), ("task runs", tasks)) if found}
    end = asyncio.get_running_loop().time() + LOGS_LIMIT_S
    while holding and asyncio.get_running_loop().time() < end:
        if not any(log.flow_run_id in holding for log in await _logs(client)):
            return
        await asyncio.sleep(PAUSE_S)


async def _flow_runs(client: PrefectClient) -> list[Any]:
    async def read(offset: int) -> list[Any]:
        return [*await client.read_flow_runs(sort=FlowRunSort.ID_DESC, limit=PAGE, offset=offset)]

    return await _all(read)


async def _logs(client: PrefectClient) -> list[Any]:
    async def read(offset: int) -> list[Any]:
        return [*await client.read_logs(limit=PAGE, offset=offset)]

    return await _all(read)


async def _told(client: PrefectClient, passages: Passages) -> list[Trace]:
    """What the API of a server that is not ours still tells, once everything was deleted that can be."""

    async def artifacts(offset: int) -> list[Any]:
        return [*await client.read_artifacts(limit=PAGE, offset=offset)]

    found = {"artifacts": await _all(artifacts), "flow runs": await _flow_runs(client), "logs": await _logs(client)}
    return [
        Trace("Prefect's database", kind, sum(passages.windows_in(_bytes(row)) for row in rows))
        for kind, rows in found.items()
        if any(stands_in(_bytes(row), passages) for row in rows)
    ]


async def _all(read: Callable[[int], Awaitable[list[Any]]]) -> list[Any]:
    """Every page. They are read before anything is deleted, which would move the others."""
    found: list[Any] = []
    while page := await read(len(found)):
        found += page
    return found


def _bytes(row: BaseModel) -> bytes:
    return row.model_dump_json().encode()


def _database(path: Path, passages: Passages, cleared: Cleared) -> list[Trace]:
    """Clears events and the pages that the server has freed, and searches the file; its server goes on meanwhile."""
    for _ in range(TRIES):
        found = traces_of(path, passages)
        if not found:
            break
        try:
            with closing(sqlite3.connect(path, WAIT_S, isolation_level=None)) as connection:
                if count := _delete_events(connection, passages):
                    cleared.deleted["events"] = cleared.deleted.get("events", 0) + count
                without_free_pages(connection)
        except sqlite3.OperationalError:
            pass  # the server is at work in it
        time.sleep(PAUSE_S)  # logs are deleted some time after their run
    return traces_of(path, passages)


def _delete_events(connection: sqlite3.Connection, passages: Passages) -> int:
    """Deletes the events that hold a passage; how many."""
    connection.text_factory = bytes
    rows = connection.execute("SELECT rowid, id, payload, resource, related FROM events").fetchall()
    places = holding([b" ".join(map(_as_bytes, row[2:])) for row in rows], passages)
    connection.execute("BEGIN IMMEDIATE")
    # Names of events are kept as text, which must be told as such.
    names = [(_as_bytes(rows[place][1]).decode(),) for place in places]
    connection.executemany("DELETE FROM event_resources WHERE event_id = ?", names)
    connection.executemany("DELETE FROM events WHERE rowid = ?", [(rows[place][0],) for place in places])
    connection.execute("COMMIT")
    return len(places)


def _as_bytes(value: Any) -> bytes:
    return value if isinstance(value, bytes) else b""


def traces_of(database: Path, passages: Passages) -> list[Trace]:
    """Every place of a database, its log included, where a passage stands."""
    files = sorted(database.parent.glob(f"{database.name}*"))
    return [trace for path in files for trace in traces(path, passages)]
