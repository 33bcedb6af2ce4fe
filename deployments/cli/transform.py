"""`fanno transform`: rows of an instruction file to other rows."""

from __future__ import annotations

from typing import Annotated

import typer

from deployments.cli.making import ANOTHER_METHOD, AsJson, Out, make
from deployments.cli.method_options import Files, Option, method_assignments
from deployments.cli.options import Set, SettingsFile, one_sentence_errors
from fanno_core.settings import load_settings

With = Annotated[
    str, typer.Option("--with", help="The method, such as evol-instruct (`fanno methods`).", metavar="NAME")
]


def transform(
    files: Files,
    with_: With,
    out: Out,
    chosen: Option = None,
    file: SettingsFile = None,
    assignments: Set = None,
    as_json: AsJson = False,
) -> None:
    """Make other rows of the rows of instruction files.

    Harder ones, better answered ones, several in one: `fanno methods` lists how. Files may have the fields of Alpaca,
    ShareGPT, chat messages, or prompt and completion.

    Examples:
        fanno transform --with mosaic alpaca.json --out ./mosaic
        fanno transform --with ruler alpaca.json --out ./ruler --option augment_rate=0.5
        fanno transform --with evol-instruct alpaca.json --out ./evolved --set teacher.name=openai
    """
    with one_sentence_errors():
        named = method_assignments(with_, chosen, files)
        settings = load_settings(file, [*(assignments or ()), *named])
        make(ANOTHER_METHOD, [], out, settings, as_json)
