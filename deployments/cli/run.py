"""`fanno run`: documents to a data set."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from typing import Annotated, Any

import typer

from deployments.cli.interrupts import end_within, interruptible
from deployments.cli.options import Corpus, Set, SettingsFile, one_sentence_errors
from deployments.cli.summary import print_summary, summary
from deployments.server import QUIET, prefect_api
from fanno_core.settings import Settings, load_settings
from fanno_core.store.location import open_location

# What the engine gets to mark the run as interrupted before the process ends whatever it is doing.
FAREWELL_S = 5.0

Out = Annotated[
    str,
    typer.Option(
        "--out", help="Folder, or s3:// URL, for the data set and everything on the way to it.", metavar="OUT"
    ),
]
RequireLicence = Annotated[
    bool,
    typer.Option("--require-licence", help="Keep only documents whose licence is known and allowed (screen.licences)."),
]
OpenTeachersOnly = Annotated[
    bool, typer.Option("--open-teachers-only", help="Refuse a teacher whose declared licence is not open.")
]
Decontaminate = Annotated[
    list[str] | None,
    typer.Option(
        "--decontaminate",
        help="Leave out rows that overlap with the texts of this benchmark (decontaminate.files). May be repeated.",
        metavar="FILE",
    ),
]
AsJson = Annotated[
    bool, typer.Option("--json", help="End with one line of JSON: counts, digest, paths. Progress goes to stderr.")
]


def run(
    corpus: Corpus,
    out: Out,
    file: SettingsFile = None,
    assignments: Set = None,
    require_licence: RequireLicence = False,
    open_teachers_only: OpenTeachersOnly = False,
    decontaminate: Decontaminate = None,
    as_json: AsJson = False,
) -> None:
    """Make an instruction data set from documents.

    Every phase is cached below OUT: run it again to go on after an interruption, or to do just what changed.

    Examples:
        fanno run --corpus installed-docs --out ./demo
        fanno run --corpus ./documents --out ./data --set teacher.name=transformers --set teacher.model=./model
        fanno run --corpus './notes/**/*.md' --corpus ./books --out ./data --settings settings.toml
        fanno run --corpus ./documents --out s3://bucket/data --require-licence --json
        fanno run --corpus ./documents --out ./data --decontaminate gsm8k/test.jsonl --decontaminate mmlu.parquet
    """
    with one_sentence_errors():
        flags = {"screen.require_licence": require_licence, "teacher.open_only": open_teachers_only}
        named = [f"{name}=true" for name, on in flags.items() if on]
        if decontaminate:
            named.append(f"decontaminate.files={json.dumps(decontaminate, ensure_ascii=False)}")
        settings = load_settings(file, [*(assignments or ()), *named])
        _quieten_prefect()
        from deployments.cli.progress import shown_progress  # which imports Prefect

        with interruptible(), shown_progress(sys.stderr if as_json else sys.stdout), prefect_api() as (ui, ours):
            kept = "  (kept for the next run; `fanno server stop` ends it)" if ours else ""
            typer.echo(f"Prefect UI: {ui}{kept}", err=as_json)
            asyncio.run(_flow(corpus, out, settings))
        told = summary(open_location(out))
    if as_json:
        typer.echo(told.as_json())
    else:
        print_summary(told)


async def _flow(corpus: list[str], out: str, settings: Settings) -> Any:
    from flows.fanno import fanno  # Prefect is imported once its environment is set

    try:
        # A task of its own: when the loop is torn down, this coroutine hears of it before the flow has unwound.
        return await asyncio.ensure_future(fanno(corpus, out, settings))
    except asyncio.CancelledError:
        end_within(FAREWELL_S)
        raise


def _quieten_prefect() -> None:
    """Prefect logs to its server alone and reports nothing home; both are read when it is imported."""
    for name, value in {**QUIET, "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL"}.items():
        os.environ.setdefault(name, value)
