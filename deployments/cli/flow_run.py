"""A flow in this process, with its progress on the terminal and a Prefect server that takes note."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any

import typer

from deployments.cli.interrupts import end_within, interruptible
from deployments.server import QUIET, prefect_api

# What the engine gets to mark the run as interrupted before the process ends whatever it is doing.
FAREWELL_S = 5.0


def run_flow(name: str, as_json: bool, *arguments: Any) -> Any:
    """Runs a flow to its end and gives back what it gives back.

    Args:
        name: where the flow is, as `module:name`; Prefect is imported once its environment is set.
        as_json: whether the command ends with JSON on stdout, so that all else goes to stderr.
        arguments: of the flow.
    """
    _quieten_prefect()
    from deployments.cli.progress import shown_progress  # which imports Prefect

    with interruptible(), shown_progress(sys.stderr if as_json else sys.stdout), prefect_api() as (ui, ours):
        kept = "  (kept for the next run; `fanno server stop` ends it)" if ours else ""
        typer.echo(f"Prefect UI: {ui}{kept}", err=as_json)
        module, _, attribute = name.partition(":")
        return asyncio.run(_ended(getattr(import_module(module), attribute), arguments))


async def _ended(flow: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
    try:
        # A task of its own: when the loop is torn down, this coroutine hears of it before the flow has unwound.
        return await asyncio.ensure_future(flow(*arguments))
    except asyncio.CancelledError:
        end_within(FAREWELL_S)
        raise


def _quieten_prefect() -> None:
    """Prefect logs to its server alone and reports nothing home; both are read when it is imported."""
    for name, value in {**QUIET, "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL"}.items():
        os.environ.setdefault(name, value)
