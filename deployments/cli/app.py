"""The table of commands. What a command needs is imported when it is used, so that help comes at once."""

from __future__ import annotations

from importlib.metadata import version
from typing import Annotated

import typer

from deployments.cli.group import Command, CommandGroup

MAKE, LOOK, USE, SET_UP = "Make a data set", "Look at it", "Use it", "Set up"

COMMANDS = {
    "plan": Command("deployments.cli.plan:plan", "Estimate the calls and tokens of a run before it starts.", MAKE),
    "run": Command("deployments.cli.run:run", "Make an instruction data set from documents.", MAKE),
    "transform": Command(
        "deployments.cli.transform:transform", "Make other rows of the rows of instruction files.", MAKE
    ),
    "select": Command(
        "deployments.cli.select:select", "Choose the rows of instruction files that are worth training on.", MAKE
    ),
    "refresh": Command("deployments.cli.refresh:refresh", "Bring a data set up to date with its corpus.", MAKE),
    "report": Command("deployments.cli.report:report", "Make the report of a finished run again.", LOOK),
    "sample": Command("deployments.cli.sample:sample", "Show some rows of a finished run, kept or rejected.", LOOK),
    "explain": Command("deployments.cli.explain:explain", "Say how a row or a document came to be what it is.", LOOK),
    "compare": Command(
        "deployments.cli.compare:compare", "Hold two finished runs, or several methods, side by side.", LOOK
    ),
    "versions": Command("deployments.cli.versions:versions", "List the versions that nights have left.", LOOK),
    "diff": Command("deployments.cli.versions:diff", "Say what changed from one version to another.", LOOK),
    "export": Command(
        "deployments.cli.export:export",
        "Write a finished run's rows in the format of a trainer or tool, with their card.",
        USE,
    ),
    "forget": Command("deployments.cli.forget:forget", "Take documents back, with every row that came of them.", USE),
    "rollback": Command("deployments.cli.versions:rollback", "Give readers an earlier version, or a held one.", USE),
    "verify": Command("deployments.cli.verify:verify", "Check every file that a run has left.", USE),
    "doctor": Command("deployments.cli.doctor:doctor", "Say what works here, what does not, and what to do.", SET_UP),
    "settings": Command("deployments.cli.settings:settings", "List every setting, and where it comes from.", SET_UP),
    "methods": Command("deployments.cli.methods:methods", "List what can be chosen, with one line each.", SET_UP),
    "worker": Command("deployments.cli.worker:worker", "Serve a model and run the flow runs of a pool.", SET_UP),
    "server": Command("deployments.cli.server:app", "Start, show or stop the Prefect server of runs.", SET_UP),
}


class Fanno(CommandGroup):
    """The group of all commands."""

    table = COMMANDS


app = typer.Typer(
    name="fanno",
    help="Turns unlabelled documents into instruction-tuning data, with open language models only.",
    cls=Fanno,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"fanno {version('fanno')}")
        raise typer.Exit


@app.callback(epilog="`fanno COMMAND --help` has the options and examples of a command; start with `fanno doctor`.")
def fanno(
    _version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version and leave.")
    ] = False,
) -> None:
    """Runs what the table names."""
