"""Options that several commands share, and how they end on errors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from fanno_core.errors import FannoError


def _settings_beginning(incomplete: str) -> list[str]:
    """The names of settings that begin so, each with its `=`, for the shell's completion."""
    from fanno_core.settings import Settings

    sections = {name: type(field.default) for name, field in Settings.model_fields.items()}
    names = (f"{name}.{key}=" for name, section in sections.items() for key in section.model_fields)
    return [name for name in names if name.startswith(incomplete)]


Corpus = Annotated[
    list[str],
    typer.Option(
        "--corpus",
        help="Files, folders or globs; or installed-docs, the texts of the installed packages. May be repeated.",
        metavar="PATH",
    ),
]
Documents = Annotated[
    list[str] | None,
    typer.Option(
        "--corpus",
        help="Files, folders or globs; or installed-docs, the texts of the installed packages. May be repeated. Some "
        "methods need none.",
        metavar="PATH",
    ),
]
OutOfRun = Annotated[str, typer.Argument(metavar="OUT", help="Folder or s3:// URL of a run.")]
FinishedOut = Annotated[str, typer.Option("--out", help="Folder or s3:// URL of a finished run.", metavar="OUT")]
SettingsFile = Annotated[
    Path | None, typer.Option("--settings", help="TOML file with settings; see `fanno settings`.", metavar="FILE.toml")
]
Set = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        help="One setting, such as --set seeds.documents=20; may be repeated.",
        metavar="KEY=VALUE",
        autocompletion=_settings_beginning,
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


@contextmanager
def one_sentence_errors() -> Iterator[None]:
    """Ends the command with one sentence and exit code 1 where a person must act."""
    try:
        yield
    except FannoError as error:
        typer.secho(f"error: {error}", fg="red", err=True)
        raise typer.Exit(1) from None
