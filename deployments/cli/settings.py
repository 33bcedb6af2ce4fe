"""`fanno settings`: every setting, its value and its meaning."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from deployments.cli.options import Set, SettingsFile, one_sentence_errors
from fanno_core.settings import Section, Settings, load_settings


def settings(
    file: SettingsFile = None,
    assignments: Set = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print the table as Markdown.")] = False,
) -> None:
    """List every setting with its value and meaning.

    Example: fanno settings --set seeds.documents=20
    """
    with one_sentence_errors():
        loaded = load_settings(file, assignments or ())
    rows = list(describe(loaded))
    if markdown:
        typer.echo("| setting | default | meaning |\n| --- | --- | --- |")
        for name, value, meaning in rows:
            typer.echo(f"| `{name}` | `{value}` | {meaning} |")
        return
    table = Table("setting", "value", "meaning")
    for row in rows:
        table.add_row(*row)
    Console().print(table)


def describe(loaded: Settings) -> list[tuple[str, str, str]]:
    """Name, value and meaning of each setting, in order."""
    rows = []
    for section in Settings.model_fields:
        group: Section = getattr(loaded, section)
        for key, field in type(group).model_fields.items():
            value = getattr(group, key)
            shown = ", ".join(value) if isinstance(value, tuple) else str(value)
            rows.append((f"{section}.{key}", shown or "(empty)", field.description or ""))
    return rows
