"""FANNO, from documents to instruction data, in the order of the paper's figure."""

from typing import Annotated, Any

from prefect import flow
from pydantic import Field

from fanno_core.dataset.record import published
from fanno_core.documents.sources import find_sources
from fanno_core.settings import Settings
from flows.augmentation import think_different
from tasks import communities, ingest, instructions, publish, responses, screen
from tasks.run import open_run

Corpus = Annotated[list[str], Field(description="Files, folders, globs, or the name of a built-in corpus.")]
Out = Annotated[str, Field(description="Folder for the data set and everything on the way to it.")]


@flow(name="fanno", flow_run_name="fanno to {out}", validate_parameters=True)
async def fanno(corpus: Corpus, out: Out, settings: Settings = Settings()) -> dict[str, Any]:  # noqa: B008
    """Turns unlabelled documents into instruction-tuning data.

    Every phase maps over Parquet shards below `out` and is cached there: a second run does only what changed.
    """
    async with open_run(out, settings) as run:
        # (1) Document pre-screen: clean segments, each once, worth learning from, none too near another.
        segments = await run.do(ingest.ingest, ingest.ingest_jobs(find_sources(corpus), str(run.out), settings))
        ruled = await run.do(screen.rules, run.jobs(screen.RULES, "documents", segments.kept))
        unique = await run.do(screen.duplicates, [run.job(screen.DUPLICATES, documents=ruled.kept)])
        masked = await run.do(screen.privacy, run.jobs(screen.PRIVACY, "documents", unique.kept))
        screened = await run.do(screen.verdicts, run.jobs(screen.VERDICTS, "documents", masked.kept))
        vectors = await run.do(communities.encode, run.jobs(communities.ENCODE, "documents", screened.kept))
        placed = await run.do(
            communities.communities,
            [run.job(communities.COMMUNITIES, documents=screened.kept, vectors=vectors.kept)],
        )
        lots = await run.do(communities.queue, [run.job(communities.QUEUE, documents=placed.kept)])

        # (2a) Seed instructions from the tag pool; (2b) augmentation, each window unlike what came before it.
        seeds = await run.do(instructions.seeds, run.jobs(instructions.SEEDS, "documents", lots.labelled("seeds")))
        pool = await run.do(instructions.novelty, [run.job(instructions.NOVELTY, instructions=seeds.kept)])
        pool += await think_different(run, pool, lots.labelled("window"))

        # (3) Responses, and the data set.
        jobs = responses.response_jobs(pool, screened, vectors, str(run.out), settings)
        examples = await run.do(responses.responses, jobs)
        await run.do(publish.publish, [publish.publish_job(examples.kept, run.records, str(run.out), settings)])
    return published(run.out)
