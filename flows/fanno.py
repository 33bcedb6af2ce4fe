"""FANNO, from documents to instruction data, in the order of the paper's figure."""

from typing import Any

from prefect import flow

from fanno_core.dataset.record import published
from fanno_core.decontamination.benchmarks import find_benchmarks
from fanno_core.documents.sources import find_sources
from fanno_core.settings import Settings
from flows.augmentation import think_different
from tasks.communities import communities, encode, queue
from tasks.decontaminate import decontaminate, decontaminate_jobs
from tasks.ingest import ingest, ingest_jobs
from tasks.instructions import novelty, seeds
from tasks.publish import publish_from, publish_job
from tasks.report import report
from tasks.responses import response_jobs, responses
from tasks.run import open_run
from tasks.screen import duplicates, privacy, rules, verdicts
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
    async with open_run(out, settings, open_teachers_only) as run:
        benchmarks = find_benchmarks(settings.decontaminate)

        # (1) Document pre-screen: clean segments, each once, worth learning from, none too near another.
        segments = await run.do(ingest, ingest_jobs(find_sources(corpus), run))
        ruled = await run.map(rules, documents=segments)
        unique = await run.one(duplicates, documents=ruled)
        masked = await run.map(privacy, documents=unique)
        screened = await run.map(verdicts, documents=masked)
        vectors = await run.map(encode, documents=screened)
        placed = await run.one(communities, documents=screened, vectors=vectors)
        lots = await run.one(queue, documents=placed)

        # (2a) Seed instructions from the tag pool; (2b) augmentation, each window unlike what came before it.
        drafts = await run.map(seeds, documents=lots.labelled("seeds"))
        pool = await run.one(novelty, instructions=drafts)
        pool += await think_different(run, pool, lots.labelled("window"))

        # (3) Responses, without what stands in a benchmark that the user names; the data set, and its report.
        examples = await run.do(responses, response_jobs(pool, screened, vectors, run))
        if benchmarks:
            examples = await run.do(decontaminate, decontaminate_jobs(examples, pool, benchmarks, run))
        await run.do(publish_from(corpus, run), [publish_job(examples, corpus, run)])
        await report(run)
    return published(run.out)
