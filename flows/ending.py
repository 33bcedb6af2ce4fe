"""How every flow ends: rows of benchmarks are left out, the best are chosen, published and reported on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fanno_core.dataset.record import published
from fanno_core.decontamination.benchmarks import BenchmarkFile, find_benchmarks
from tasks.decontaminate import decontaminate, decontaminate_jobs
from tasks.publish import publish_from, publish_job
from tasks.report import report
from tasks.run import Run, Shards
from tasks.select import chosen_by, select


async def published_rows(
    run: Run,
    rows: Shards,
    corpus: Sequence[str],
    benchmarks: Sequence[BenchmarkFile],
    instructions: Shards | None = None,
) -> dict[str, Any]:
    """Rows and digest of the data set that is made of these rows.

    Args:
        run: the run.
        rows: what was made.
        corpus: documents that they were made of, if any, besides the files of `method.given`.
        benchmarks: from `check_ending`.
        instructions: the instructions of the rows, an entry for each of their shards, where these have vectors.
    """
    if benchmarks:
        rows = await run.do(decontaminate, decontaminate_jobs(rows, instructions, benchmarks, run))
    rows = await select(run, rows)
    await run.do(publish_from([*corpus, *run.settings.method.given], run), [publish_job(rows, corpus, run)])
    await report(run)
    return published(run.out)


def check_ending(run: Run) -> Sequence[BenchmarkFile]:
    """The benchmarks as they are now; what would only fail at the end of the run is refused.

    Raises:
        BadSettings: a benchmark cannot be read, or a selector or what it keeps is not known.
    """
    chosen_by(run.settings)
    return find_benchmarks(run.settings.decontaminate)
