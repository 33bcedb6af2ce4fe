"""The table of commands."""

from __future__ import annotations

import typer

from deployments.cli import plan, run, server, settings, verify, worker

app = typer.Typer(
    name="fanno",
    help="Turns unlabelled documents into instruction-tuning data, with open language models only.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
app.command(name="run")(run.run)
app.command(name="plan")(plan.plan)
app.command(name="settings")(settings.settings)
app.command(name="verify")(verify.verify)
app.command(name="worker")(worker.worker)
app.add_typer(server.app, name="server")
