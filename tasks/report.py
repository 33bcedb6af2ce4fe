"""The report of a run, its last task. A report that cannot be made fails no run: the data set is there."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Mapping
from typing import Any

from prefect import task
from prefect.client.schemas.objects import State
from prefect.states import Completed

from fanno_core.communities.encoder import Encoder
from fanno_core.dataset.made import Made, open_made
from fanno_core.settings import Settings, bytes_of
from fanno_core.store.durable import names_in, read_whole, remove_files, write_durably
from fanno_core.store.fingerprint import fingerprint
from fanno_core.store.location import Location, open_location
from tasks.artifacts import leave_figures, leave_link, leave_rows
from tasks.edge import one_sentence
from tasks.run import Run

VERSION = 3
"""Raised whenever the same run would get another report."""
FOLDER = "report"
PAGE = "index.html"
NUMBERS = "report.json"
STAMP = "report-made.json"

MEASURED = {"map_rows", "rouge_rows", "explained_rows", "ifd_model"}
"""The settings of the report that change what it tells; of the data set they change nothing."""

log = logging.getLogger("fanno.run")


async def report(run: Run) -> None:
    """Leaves `OUT/report/`, if it is wanted, and shows in Prefect's UI what may be shown there.

    Where the report cannot be made, the task fails and a line says so.

    Raises:
        OutBusy: another run took the folder over.
    """
    await run.leave_record()
    run.still_owned()
    rows = run.records[-1].rows_kept
    files = run.entries[-1].files
    state: State[Any] = await report_task(  # type: ignore[misc]
        str(run.out), _key(run), rows, wait_for=run.makers_of(files), return_state=True
    )
    if state.is_failed():
        error = await state.aresult(raise_on_failure=False)
        log.warning("no report: %s. The data set is whole; `fanno report %s` tries again", error, run.out)


@task(name="report", task_run_name="report of {rows:,} rows", result_serializer="json")
async def report_task(out: str, key: str, rows: int) -> State[Any]:  # noqa: ARG001 - rows are in the name
    """Makes the report, unless the one that is there is of the same work.

    Args:
        out: the output folder.
        key: fingerprint of all that the report tells of.
        rows: of the data set.

    Raises:
        FannoError: the report could not be made; nothing is left of it.
    """
    with one_sentence("the report"):
        made = open_made(open_location(out))
        is_there = _is_there(made, key)
        if not is_there:
            _remove(made.out)
        wanted = made.settings.report.make
        if wanted and not is_there:
            await asyncio.to_thread(_make, made, key)
    await _show(made, wanted)
    if not wanted:
        return Completed(message="no report: report.make is false")
    return Completed(name="Cached", message="the report of this data set is there") if is_there else Completed()


async def _show(made: Made, wanted: bool) -> None:
    """Leaves what Prefect's UI may show. The report is there, whether or not Prefect takes it."""
    try:
        await leave_rows(made)
        if wanted:
            await leave_figures(made.out / FOLDER)
            await leave_link(made.out / FOLDER / PAGE)
    except Exception as error:
        log.warning("Prefect's UI shows nothing of the report, since it refused: %s", type(error).__name__)


def _key(run: Run) -> str:
    work = [f"{entry.phase}/{entry.key}" for entry in run.entries]
    settings = bytes_of(run.settings, tuple(Settings.model_fields))
    how = run.settings.report.model_dump(mode="json", include=MEASURED)
    parts = {"work": work, "settings": settings, "report": how, "encoder": run.encoder}
    return fingerprint("report", VERSION, parts)


def _is_there(made: Made, key: str) -> bool:
    """Whether the report that lies there is whole, of this data set, and by no run of other work.

    One by `fanno report`, where no run made one before, has no stamp, and stays with whatever it compares with.
    """
    stamp, numbers = _read(made.out / "work" / STAMP), _read(made.out / FOLDER / NUMBERS)
    is_ours = stamp.get("key", key) == key and numbers.get("digest") == made.record["dataset"]["digest"]
    return is_ours and (made.out / FOLDER / PAGE).is_file()


def _read(file: Location) -> Mapping[str, Any]:
    try:
        values = json.loads(read_whole(file))
    except (OSError, ValueError):
        return {}
    return values if isinstance(values, dict) else {}


def _make(made: Made, key: str) -> None:
    from fanno_core.report.make import make_report  # draws with Altair, which takes a second to import

    try:
        make_report(made.out, Encoder(made.settings.encoder).encode)
    except Exception:
        _remove(made.out)
        raise
    write_durably(made.out / "work" / STAMP, json.dumps({"key": key}).encode())


def _remove(out: Location) -> None:
    """Removes what an earlier report left, so that the page never tells of another data set."""
    remove_files(out / "work", [STAMP])
    for folder in (out / FOLDER, out / FOLDER / "figures"):
        remove_files(folder, [name for name in names_in(folder) if name.endswith((".html", ".json", ".png"))])
