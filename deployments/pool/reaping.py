"""Flow runs that died with their worker: the next worker of the pool on this host says so to Prefect.

Each flow run of a worker leaves its name in a folder before it begins. When a worker starts, every run of the one
before it is over, for a pool's lock is free only when the last process of its worker is gone.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from deployments.pool.services import Say

# Set by `fanno worker` for its flow runs.
RUNS_VARIABLE = "FANNO_RUNS"
FLOW_RUN_VARIABLE = "PREFECT__FLOW_RUN_ID"


def note_run() -> None:
    """Leaves the name of this process' flow run where the next worker looks for it; nothing outside of a worker."""
    folder, flow_run = os.environ.get(RUNS_VARIABLE), os.environ.get(FLOW_RUN_VARIABLE)
    if folder and flow_run:
        Path(folder).mkdir(parents=True, exist_ok=True)
        (Path(folder) / flow_run).touch()


def reap_runs(folder: Path, say: Say) -> None:
    """Marks the runs whose names are in a folder as crashed where Prefect takes them for running, and forgets them."""
    names = sorted(file.name for file in folder.iterdir()) if folder.is_dir() else []
    if not names:
        return
    reaped = asyncio.run(_reap(names))
    if reaped:
        say(f"{reaped} flow runs died with the worker before this one; Prefect shows them as crashed now")
    for name in names:
        (folder / name).unlink(missing_ok=True)


async def _reap(names: list[str]) -> int:
    from prefect.client.orchestration import get_client

    from tasks.reaping import mark_crashed

    async with get_client() as client:
        why = "its worker died; the next worker of the pool found it"
        return sum([await mark_crashed(client, name, why) for name in names])
