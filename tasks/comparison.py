"""Methods with one teacher and one budget: a run each below one folder, and what is told of all of them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prefect import task
from prefect.artifacts import acreate_table_artifact
from prefect.cache_policies import NO_CACHE

from fanno_core.communities.encoder import Encoder
from fanno_core.dataset.made import open_made
from fanno_core.decontamination.benchmarks import find_benchmarks
from fanno_core.errors import BadCorpus, BadSettings, RunStops
from fanno_core.methods.table import GENERATORS, TRANSFORMS
from fanno_core.settings import Settings
from fanno_core.store.contracts import FANNO
from fanno_core.store.location import Location, open_location
from fanno_core.teachers.answer_journal import shared_journal
from fanno_core.teachers.journal import JournalReader
from tasks.edge import one_sentence
from tasks.methods import open_method
from tasks.questions import SCREENING
from tasks.select import chosen_by

JOURNAL = "answers.sqlite"
METHODS = (FANNO, *GENERATORS, *TRANSFORMS)


@dataclass(frozen=True, slots=True)
class Planned:
    """One method's run.

    Attributes:
        method: its name.
        corpus: what it reads; nothing where its rows come from files, or it begins with nothing.
        out: its own output folder.
        settings: of the run, with the journal that all of them share.
    """

    method: str
    corpus: list[str]
    out: str
    settings: Settings


def planned(
    methods: Sequence[str],
    corpus: Sequence[str],
    out: str,
    settings: Settings,
    options: Mapping[str, Mapping[str, Any]],
    benchmarks: Sequence[str],
) -> list[Planned]:
    """A run for each method, all of which can begin.

    Raises:
        BadSettings: fewer than two methods, or one is unknown or named twice; or an option, a setting or a benchmark
            would stop a run before it began.
        BadCorpus: a method needs documents, and there are none.
    """
    _check(methods, settings, options)
    chosen_by(settings)
    find_benchmarks(settings.decontaminate)
    find_benchmarks(settings.decontaminate.model_copy(update={"files": tuple(benchmarks)}))
    folder = open_location(out)
    journal = shared_journal(folder, settings.run.journal or f"{out}/{JOURNAL}")
    shared = _with(settings, "run", journal=journal)
    return [
        _planned(name, corpus, folder, _with(shared, "method", name=name, options=dict(options.get(name, {}))))
        for name in methods
    ]


def _check(methods: Sequence[str], settings: Settings, options: Mapping[str, Mapping[str, Any]]) -> None:
    if len(methods) < 2:
        raise BadSettings("a comparison needs two methods or more, such as fanno,self-instruct")
    for name in methods:
        if name not in METHODS:
            raise BadSettings(f"there is no method {name}; there are: {', '.join(METHODS)}")
    if len({*methods}) < len(methods):
        raise BadSettings("a method is named twice; name each once")
    for name in options:
        if name not in methods or name == FANNO:
            why = "its options are settings" if name == FANNO else "it is not compared"
            raise BadSettings(f"options of method {name}: {why}; leave them out")
    if settings.method.options:
        raise BadSettings("method.options: say whose they are, such as --option oss-instruct.NAME=VALUE")


def _planned(name: str, corpus: Sequence[str], folder: Location, settings: Settings) -> Planned:
    """One method's run: files of rows go to those that begin with rows, documents to those that read them."""
    given = settings.method.given
    without = _with(settings, "method", given=())
    opened = None if name == FANNO else open_method(without)
    begins_with_rows = opened is not None and opened.begins_with_rows
    reads = opened is None or opened.reads_documents or (begins_with_rows and not given)
    if reads and not corpus:
        raise BadCorpus(f"method {name} needs documents; name --corpus, or leave it out of --methods")
    own = settings if begins_with_rows else without
    return Planned(name, list(corpus) if reads else [], str(folder / name), own)


def _with(settings: Settings, section: str, **values: Any) -> Settings:
    return settings.model_copy(update={section: getattr(settings, section).model_copy(update=values)})


@task(name="comparison", task_run_name="comparison of {methods}", cache_policy=NO_CACHE, result_serializer="json")
async def comparison(
    out: str,
    methods: str,  # noqa: ARG001 - it is in the name
    runs: Sequence[Planned],
    stopped: Mapping[str, str],
    benchmarks: Sequence[str],
) -> dict[str, Any]:
    """Measures the runs that came to their end, and leaves `OUT/comparison/`.

    Args:
        out: the folder of the comparison.
        methods: their names, for people.
        runs: those that made a data set.
        stopped: methods that made none, and why.
        benchmarks: files in which rows are looked for.

    Returns:
        `comparison.json`, with the `table` for people and the path of the page below `out` as `page`.

    Raises:
        RunStops: no method made a data set, or the comparison cannot be written.
        FannoError: a run cannot be read or measured.
    """
    if not runs:
        raise RunStops(f"no method made a data set: {'; '.join(f'{name}: {why}' for name, why in stopped.items())}")
    with one_sentence("the comparison"):
        told = await asyncio.to_thread(_compared, open_location(out), runs, stopped, benchmarks)
    names = [row["method"] for row in told["rows"]]
    table = [{"measure": line["measure"], **dict(zip(names, line["shown"], strict=True))} for line in told["table"]]
    await acreate_table_artifact(table, key="comparison", description="Methods side by side.")
    return told


def _compared(
    out: Location, runs: Sequence[Planned], stopped: Mapping[str, str], benchmarks: Sequence[str]
) -> dict[str, Any]:
    # Both draw with Altair, which takes a second to import.
    from fanno_core.report.several_runs import Comparing, measure_runs
    from fanno_core.report.side_by_side import table_of
    from fanno_core.report.write import json_bytes
    from fanno_core.report.write_comparison import write_comparison

    settings = runs[0].settings
    journal = Path(settings.run.journal)
    how = Comparing(
        encode=Encoder(settings.encoder).encode,
        screening=SCREENING,
        tokens=JournalReader(journal).asked() if journal.is_file() else {},  # where nobody was asked, there is none
        ifd_model=settings.report.ifd_model,
        benchmarks=[*map(Path, benchmarks)],
    )
    found = measure_runs({run.method: open_made(open_location(run.out)) for run in runs}, how, stopped)
    page = write_comparison(out, found)[0]
    told: dict[str, Any] = json.loads(json_bytes(found))
    return told | {"table": json.loads(json_bytes(table_of(found))), "page": page}
