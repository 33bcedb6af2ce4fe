"""`fanno run`: documents to a data set."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer

from deployments.cli.interrupts import end_within, interruptible
from deployments.cli.options import Set, SettingsFile, one_sentence_errors
from deployments.cli.summary import print_summary
from deployments.server import QUIET, prefect_api
from fanno_core.settings import Settings, load_settings
from fanno_core.store.location import open_location

# What the engine gets to mark the run as interrupted before the process ends whatever it is doing.
FAREWELL_S = 5.0

Corpus = Annotated[
    list[str],
    typer.Option("--corpus", help="Files, folders or globs; or installed-docs, the texts of the installed packages."),
]
Out = Annotated[
    str, typer.Option("--out", help="Folder, or s3:// URL, for the data set and everything on the way to it.")
]


RequireLicence = Annotated[
    bool,
    typer.Option("--require-licence", help="Keep only documents whose licence is known and allowed (screen.licences)."),
]
OpenTeachersOnly = Annotated[
    bool, typer.Option("--open-teachers-only", help="Refuse a teacher whose declared licence is not open.")
]


def run(
    corpus: Corpus,
    out: Out,
    file: SettingsFile = None,
    assignments: Set = None,
    require_licence: RequireLicence = False,
    open_teachers_only: OpenTeachersOnly = False,
) -> None:
    """Make an instruction data set from documents; run it again to go on or to do what changed.

    Example: fanno run --corpus ./documents --out ./data --set teacher.name=transformers --set teacher.model=./model
    """
    with one_sentence_errors():
        flags = {"screen.require_licence": require_licence, "teacher.open_only": open_teachers_only}
        settings = load_settings(file, [*(assignments or ()), *(f"{name}=true" for name, on in flags.items() if on)])
        _quieten_prefect()
        with _progress_to_terminal(), interruptible(), prefect_api() as (ui, ours):
            typer.echo(f"Prefect UI: {ui}" + ("  (kept for the next run; `fanno server stop` ends it)" if ours else ""))
            asyncio.run(_flow(corpus, out, settings))
        print_summary(open_location(out))


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


@contextmanager
def _progress_to_terminal() -> Iterator[None]:
    """Prints what phases tell about their progress."""
    logger = logging.getLogger("fanno")
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(logging.Formatter("%(message)s"))
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(handler)
