"""Several methods on the same documents, with one teacher and one budget, and one table of what they made."""

from __future__ import annotations

import logging
from typing import Any

from prefect import flow

from fanno_core.errors import OutBusy, RunStops
from fanno_core.settings import Settings
from fanno_core.store.contracts import FANNO
from flows.fanno import fanno
from flows.methods import fanno_method
from tasks.comparison import comparison, planned
from tasks.telling import run_name

log = logging.getLogger("fanno.run")


@flow(name="fanno-compare", flow_run_name=run_name, validate_parameters=True)
async def fanno_compare(
    methods: list[str],
    corpus: list[str],
    out: str,
    settings: Settings = Settings(),  # noqa: B008
    options: dict[str, dict[str, Any]] = {},  # noqa: B006
    benchmarks: list[str] = [],  # noqa: B006
    open_teachers_only: bool = False,
) -> dict[str, Any]:
    """Runs each method after the other, and holds their data sets side by side.

    Args:
        methods: Two or more names, see `fanno methods`.
        corpus: Files, folders, globs, or the name of a built-in corpus; for the methods that read documents.
        out: Folder, in which each method gets one of its own; `comparison` has the table.
        settings: All settings; `method.budget` is that of each method. What is left out keeps its default.
        options: Those of methods, by method and option.
        benchmarks: Files in which rows are looked for; none is left out for it.
        open_teachers_only: Refuse a teacher whose declared licence is not open, whatever the settings say.
    """
    ended, stopped = [], {}
    for run in planned(methods, corpus, out, settings, options, benchmarks):
        log.info("method %s", run.method)
        try:
            await (fanno if run.method == FANNO else fanno_method)(
                run.corpus, run.out, run.settings, open_teachers_only
            )
        except OutBusy:
            raise
        except RunStops as error:
            stopped[run.method] = str(error)
        else:
            ended.append(run)
    return await comparison(out, ", ".join(methods), ended, stopped, benchmarks)
