"""How every flow ends: rows of benchmarks are left out, the best are chosen, published and reported on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fanno_core.dataset.record import published
from fanno_core.decontamination.benchmarks import find_benchmarks
from tasks.decontaminate import decontaminate, decontaminate_jobs
from tasks.publish import publish_from, publish_job
from tasks.report import report
from tasks.run import Run, Shards
from tasks.select import chosen_by, select


async def published_rows(
    run: Run, rows: Shards, corpus: Sequence[str], instructions: Shards | None = None
) -> dict[str, Any]:
    """Rows and digest of the data set that is made of these rows.

    Args:
        run: the run.
        rows: what was made.
        corpus: documents that they were made of, if any, besides the files of `method.given`.
        instructions: the instructions of the rows, an entry for each of their shards, where these have vectors.
    """
    if benchmarks := find_benchmarks(run.settings.decontaminate):
        rows = await run.do(decontaminate, decontaminate_jobs(rows, instructions, benchmarks, run))
    rows = await select(run, rows)
    await run.do(publish_from([*corpus, *run.settings.method.given], run), [publish_job(rows, corpus, run)])
    await report(run)
    return published(run.out)


def check_ending(run: Run) -> None:
    """Refuses now what would fail at the end of the run.

    Raises:
        BadSettings: a benchmark cannot be read, or a selector or what it keeps is not known.
    """
    find_benchmarks(run.settings.decontaminate)
    chosen_by(run.settings)
