"""Options that several commands share, and how they end on errors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from fanno_core.errors import FannoError

SettingsFile = Annotated[
    Path | None, typer.Option("--settings", help="TOML file with settings; see `fanno settings`.", metavar="FILE.toml")
]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", help="One setting, such as --set seeds.documents=20; may be repeated.", metavar="KEY=VALUE"),
]


@contextmanager
def one_sentence_errors() -> Iterator[None]:
    """Ends the command with one sentence and exit code 1 where a person must act."""
    try:
        yield
    except FannoError as error:
        typer.secho(f"error: {error}", fg="red", err=True)
        raise typer.Exit(1) from None
