"""The systems around FANNO in its place: the same documents, teacher, store and report, other rows."""

from __future__ import annotations

from typing import Any

from prefect import flow

from fanno_core.errors import BadCorpus
from fanno_core.instructions.within import within_budget
from fanno_core.settings import Settings
from flows.ending import check_ending, published_rows
from flows.lots import lot_after_lot
from flows.prescreen import prescreen
from tasks.given import find_files, given, given_jobs
from tasks.instructions import novelty, seeds
from tasks.methods import change_all, open_method
from tasks.responses import response_jobs, responses
from tasks.run import Run, Shards, open_run
from tasks.telling import run_name


@flow(name="fanno-method", flow_run_name=run_name, validate_parameters=True)
async def fanno_method(
    corpus: list[str],
    out: str,
    settings: Settings = Settings(),  # noqa: B008
    open_teachers_only: bool = False,
) -> dict[str, Any]:
    """Makes instruction-tuning data by another method than FANNO's own, or chooses among rows.

    Args:
        corpus: Files, folders, globs, or the name of a built-in corpus; none where `settings.method.given` names rows
            and the method reads no documents.
        out: Folder or s3:// URL for the data set and everything on the way to it.
        settings: All settings; `method` and `select` say what is done. What is left out keeps its default.
        open_teachers_only: Refuse a teacher whose declared licence is not open, whatever the settings say.
    """
    method = open_method(settings)
    async with open_run(out, within_budget(settings), open_teachers_only) as run:
        benchmarks = check_ending(run)
        rows = await begin_with(run, corpus) if method.begins_with_rows else Shards(())
        if method.generates:
            documents = (await prescreen(run, corpus)).lots if method.reads_documents else Shards(())
            rows = await lot_after_lot(run, documents, rows)
        elif settings.method.name:
            rows = await change_all(run, rows)
        return await published_rows(run, rows, corpus, benchmarks)


async def begin_with(run: Run, corpus: list[str]) -> Shards:
    """The rows of the files that the settings name, or else FANNO's seeds of the corpus, with responses.

    Raises:
        BadCorpus: there are neither files nor documents.
    """
    if run.settings.method.given:
        return await run.do(given, given_jobs(find_files(run.settings.method.given), run))
    if not corpus:
        raise BadCorpus("nothing to begin with: name --corpus, or instruction files with --set method.given=[...]")
    screened = await prescreen(run, corpus)
    drafts = await run.map(seeds, documents=screened.lots.labelled("seeds"))
    pool = await run.one(novelty, instructions=drafts)
    return await run.do(responses, response_jobs(pool, screened.documents, screened.vectors, run))
