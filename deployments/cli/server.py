"""`fanno server`: the Prefect server that runs use where none is configured."""

from __future__ import annotations

import typer

from deployments.cli.group import ExampledCommand
from deployments.cli.options import one_sentence_errors
from deployments.server import ensure_server, running_server, stop_server

app = typer.Typer(
    help="The Prefect server that runs use where none is configured.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
)


@app.command(cls=ExampledCommand)
def start() -> None:
    """Start the server, or say where it runs.

    Examples:
        fanno server start
    """
    with one_sentence_errors():
        server = ensure_server()
    typer.echo(f"Prefect UI: {server.ui}\nto use it from Prefect's own commands: export PREFECT_API_URL={server.url}")


@app.command(cls=ExampledCommand)
def status() -> None:
    """Say whether the server runs, and where.

    Examples:
        fanno server status
    """
    server = running_server()
    typer.echo(f"running: {server.ui}" if server else "not running")


@app.command(cls=ExampledCommand)
def stop() -> None:
    """Stop the server; its history stays for the next start.

    Examples:
        fanno server stop
    """
    typer.echo("stopped" if stop_server() else "not running")
