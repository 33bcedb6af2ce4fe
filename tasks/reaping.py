"""Runs that were killed do not stay Running in Prefect for ever: whoever goes on in their place says that they crashed.

A process that is killed cannot tell Prefect so, and without heartbeats nobody else does. The owner of an output
folder leaves its name there while it owns it; a name that is found by the next owner is that of a dead run.
"""

from __future__ import annotations

import json
import logging
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from uuid import UUID

from prefect import runtime
from prefect.client.orchestration import PrefectClient, get_client
from prefect.exceptions import ObjectNotFound
from prefect.states import Crashed

from fanno_core.store.durable import read_whole, remove_files, write_durably
from fanno_core.store.location import Location

FILE = "owner.json"

log = logging.getLogger("fanno.run")


@dataclass(frozen=True)
class Owner:
    """Who writes to an output folder: a flow run, and the process that runs it on a host."""

    flow_run: str
    host: str
    pid: int


@asynccontextmanager
async def known_owner(out: Location) -> AsyncIterator[None]:
    """Leaves this run's name in a folder that it owns, and ends in Prefect the run whose name it finds there.

    Raises:
        RunStops, TryAgain: the folder cannot be written.
    """
    ours = Owner(runtime.flow_run.get_id() or "", socket.gethostname(), os.getpid())
    dead = read_owner(out)
    if dead and dead.flow_run != ours.flow_run:  # a flow run may be started again under its own id
        await _reap(dead)
    write_durably(out / "work" / FILE, json.dumps(asdict(ours)).encode())
    try:
        yield
    finally:
        # On an object store another run may have taken the folder over.
        if read_owner(out) == ours:
            remove_files(out / "work", [FILE])


def read_owner(out: Location) -> Owner | None:
    """The name that was left in a folder; None where there is none that can be read."""
    try:
        return Owner(**json.loads(read_whole(out / "work" / FILE)))
    except (OSError, ValueError, TypeError):
        return None


async def mark_crashed(client: PrefectClient, flow_run: str, why: str) -> bool:
    """Whether the flow run was Running or Cancelling until now; it is Crashed from here on.

    One that Prefect does not know, as its server is another one, is passed over.
    """
    try:
        run = await client.read_flow_run(UUID(flow_run))
    except (ObjectNotFound, ValueError):
        return False
    if not (run.state and (run.state.is_running() or run.state.is_cancelling())):
        return False
    await client.set_flow_run_state(run.id, Crashed(message=why), force=True)
    return True


async def _reap(dead: Owner) -> None:
    why = f"process {dead.pid} on {dead.host} ended without a word; another run goes on in its folder"
    async with get_client() as client:
        if await mark_crashed(client, dead.flow_run, why):
            log.info("the run before this one was killed; Prefect shows it as crashed now")
