"""The nightly refresh: what has changed in the corpus goes through FANNO's phases, and all else stays as it is."""

import asyncio
from typing import Any

from prefect import flow

from fanno_core.dataset.made import open_made
from fanno_core.decontamination.benchmarks import find_benchmarks
from fanno_core.documents.sources import Source, find_sources
from fanno_core.settings import Settings
from flows.augmentation import think_different
from flows.fanno import fanno
from tasks.adopting import adopt
from tasks.changes import changes, standing
from tasks.communities import encode
from tasks.decontaminate import decontaminate, decontaminate_jobs
from tasks.instructions import novelty, seeds
from tasks.joining import joining, turns, unanswered
from tasks.night import Night
from tasks.nightly import later_night, skipped
from tasks.responses import response_jobs, responses
from tasks.screen import privacy, rules, verdicts
from tasks.telling import run_name
from tasks.versions import open_night, publish_version, unchanged


@flow(name="fanno-refresh", flow_run_name=run_name, validate_parameters=True)
async def fanno_refresh(
    corpus: list[str],
    out: str,
    settings: Settings = Settings(),  # noqa: B008
    rebuild: bool = False,
    open_teachers_only: bool = False,
) -> Any:
    """Brings a data set up to date with its corpus at the price of what has changed.

    The first night makes all of it, or as much as its budget allows. Each night that changes something leaves a version
    below `out`; `current` is the one to load.

    Args:
        corpus: Files, folders, globs, or the name of a built-in corpus.
        out: Folder for the versions and everything on the way to them.
        settings: All settings; what is left out keeps its default.
        rebuild: Make everything anew, as on the first night; the teacher's answers that are there cost nothing.
        open_teachers_only: Refuse a teacher whose declared licence is not open, whatever the settings say.
    """
    if later := await later_night():
        return skipped(later)
    sources = find_sources(corpus)
    async with open_night(out, sources, settings, open_teachers_only, rebuild) as night:
        # A full build knows neither budgets nor what was forgotten.
        if night.is_first and not night.run.budget and not night.forgotten:
            await fanno(corpus, str(night.building), night.settings_of_build, open_teachers_only)
            await asyncio.to_thread(adopt, night, open_made(night.building), sources)
        elif not await refresh(night, sources):
            return unchanged(night)
        return await publish_version(night, corpus)


async def refresh(night: Night, sources: list[Source]) -> bool:
    """What has changed, phase by phase; False where nothing has, and nothing waits from earlier nights."""
    run = night.run
    segments = await run.do(changes, [night.changes_job(sources)])
    if night.nothing_to_do(segments):
        return False

    # (1) New documents pass the screens and find their place among the others; what was withdrawn takes its rows along.
    ruled = await run.map(rules, documents=segments)
    unique = await run.do(standing, [night.standing_job(ruled, segments)])
    masked = await run.map(privacy, documents=unique)
    screened = await run.map(verdicts, documents=masked)
    vectors = await run.map(encode, documents=screened)
    night.take_in_documents(segments, ruled, unique, masked, screened, vectors)
    placed = await run.do(joining, [night.joining_job(screened)])
    night.take_in_places(placed)
    lots = await run.do(turns, [night.turns_job()])

    # (2a) Seeds where the pool has room for them; (2b) augmentation, each window unlike all that came before it.
    drafts = await run.map(seeds, documents=lots.labelled("seeds"))
    pool = await run.do(novelty, night.novelty_jobs(drafts))
    pool += await think_different(run, night.carried_pool() + pool, lots.labelled("window"), night.next_iteration)
    night.take_in_instructions(lots, drafts, pool)

    # (3) Responses to all that has none: the new ones, and those whose answer leant on what was withdrawn.
    asked = await run.do(unanswered, [night.unanswered_job()])
    answered = examples = await run.do(responses, response_jobs(asked, *night.library(), run))
    if benchmarks := find_benchmarks(run.settings.decontaminate):
        examples = await run.do(
            decontaminate, decontaminate_jobs(answered, night.answered(asked, answered), benchmarks, run)
        )
    night.take_in_rows(answered, examples)
    return True


fanno_nightly = fanno_refresh.with_options(name="fanno")
"""The same flow under the name of the full one, for the deployment `fanno/nightly`."""
