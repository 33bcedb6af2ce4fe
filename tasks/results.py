"""Where Prefect keeps the results of a run's tasks: with the run, where others than this machine share it."""

from __future__ import annotations

from pathlib import Path

from prefect.filesystems import RemoteFileSystem, WritableFileSystem

from fanno_core.store.fingerprint import fingerprint
from fanno_core.store.location import Location


async def result_storage(out: Location) -> WritableFileSystem | None:
    """A block that stores results below the run's URL; None for a local folder, where Prefect's own will do."""
    if isinstance(out, Path):
        return None
    storage = RemoteFileSystem(basepath=f"{out}/work/results")
    await storage.save(f"fanno-{fingerprint('results', 1, {'out': str(out)})}", overwrite=True)
    return storage
