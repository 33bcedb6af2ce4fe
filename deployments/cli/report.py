"""`fanno report`: the report of a finished run, made again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from deployments.cli.options import AsJson, OutOfRun, one_sentence_errors
from fanno_core.communities.encoder import Encoder
from fanno_core.dataset.made import open_made
from fanno_core.report.make import make_report
from fanno_core.store.location import open_location
from fanno_core.store.ownership import owned

Against = Annotated[
    list[Path] | None,
    typer.Option(help="Instruction file to hold the data set against, such as alpaca.json. May be repeated."),
]
Decontaminate = Annotated[
    list[Path] | None,
    typer.Option(help="Benchmark file; rows that overlap with it are counted, none is dropped. May be repeated."),
]


def report(
    out: OutOfRun, against: Against = None, decontaminate: Decontaminate = None, as_json: AsJson = False
) -> None:
    """Make the report of a finished run again.

    It is one page that needs no network, its figures as PNG, and a JSON file with every number. Nothing is asked of
    the teacher.

    Examples:
        fanno report ./data
        fanno report ./data --against alpaca.json --against dolly.jsonl
        fanno report ./data --decontaminate gsm8k/test.jsonl --json
    """
    with one_sentence_errors():
        made = open_made(open_location(out))
        typer.echo("measuring", err=True)
        encoder = Encoder(made.settings.encoder)
        with owned(made.out):
            names = make_report(made.out, encoder.encode, against or (), decontaminate or ())
    paths = [str(made.out / name) for name in names]
    if as_json:
        typer.echo(json.dumps({"report": paths[0], "files": paths}, ensure_ascii=False))
        return
    for path in paths:
        typer.echo(path)
