"""FANNO, from documents to instruction data, in the order of the paper's figure."""

from typing import Any

from prefect import flow

from fanno_core.instructions.within import within_budget
from fanno_core.settings import Settings
from flows.augmentation import think_different
from flows.ending import check_ending, published_rows
from flows.prescreen import prescreen
from tasks.instructions import novelty, seeds
from tasks.methods import require_fanno
from tasks.responses import response_jobs, responses
from tasks.run import open_run
from tasks.telling import run_name


@flow(name="fanno", flow_run_name=run_name, validate_parameters=True)
async def fanno(
    corpus: list[str],
    out: str,
    settings: Settings = Settings(),  # noqa: B008
    open_teachers_only: bool = False,
) -> dict[str, Any]:
    """Turns unlabelled documents into instruction-tuning data.

    Every phase maps over Parquet shards below `out` and is cached there: a second run does only what changed.

    Args:
        corpus: Files, folders, globs, or the name of a built-in corpus.
        out: Folder or s3:// URL for the data set and everything on the way to it.
        settings: All settings; what is left out keeps its default.
        open_teachers_only: Refuse a teacher whose declared licence is not open, whatever the settings say.
    """
    require_fanno(settings)
    async with open_run(out, within_budget(settings), open_teachers_only) as run:
        benchmarks = check_ending(run)

        # (1) Document pre-screen: clean segments, each once, worth learning from, none too near another.
        screened = await prescreen(run, corpus)

        # (2a) Seed instructions from the tag pool; (2b) augmentation, each window unlike what came before it.
        drafts = await run.map(seeds, documents=screened.lots.labelled("seeds"))
        pool = await run.one(novelty, instructions=drafts)
        pool += await think_different(run, pool, screened.lots.labelled("window"))

        # (3) Responses; the rows that are chosen are the data set, with its report.
        rows = await run.do(responses, response_jobs(pool, screened.documents, screened.vectors, run))
        return await published_rows(run, rows, corpus, benchmarks, pool)
