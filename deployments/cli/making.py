"""What the commands have in common that make a data set: a flow to its end, then what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from deployments.cli.flow_run import run_flow
from deployments.cli.summary import print_summary, summary
from fanno_core.settings import Settings
from fanno_core.store.location import open_location

Out = Annotated[
    str,
    typer.Option(
        "--out", help="Folder, or s3:// URL, for the data set and everything on the way to it.", metavar="OUT"
    ),
]
AsJson = Annotated[
    bool, typer.Option("--json", help="End with one line of JSON: counts, digest, paths. Progress goes to stderr.")
]

FANNO_ITSELF, ANOTHER_METHOD = "flows.fanno:fanno", "flows.methods:fanno_method"


def make(flow: str, corpus: Sequence[str], out: str, settings: Settings, as_json: bool) -> None:
    """Runs a flow that makes a data set, and prints the funnel, three rows and the paths, or JSON.

    Raises:
        FannoError: the flow did not come to its end.
    """
    run_flow(flow, as_json, list(corpus), out, settings)
    told = summary(open_location(out))
    if as_json:
        typer.echo(told.as_json())
    else:
        print_summary(told)
