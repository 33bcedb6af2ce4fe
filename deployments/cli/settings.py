"""`fanno settings`: every setting, its value, where that came from, and its meaning."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any

import typer

from deployments.cli.options import AsJson, Set, SettingsFile, one_sentence_errors
from deployments.cli.told import console_for
from fanno_core.errors import BadSettings
from fanno_core.settings import Section, Settings, load_settings
from fanno_core.teachers.pool import POOL_VARIABLE

DEFAULT, ASSIGNED, POOL = "default", "--set", "pool"


def _sections_beginning(incomplete: str) -> list[str]:
    return [name for name in Settings.model_fields if name.startswith(incomplete)]


Sections = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="SECTION",
        help="Sections to list, such as teacher; all of them where none is named.",
        autocompletion=_sections_beginning,
    ),
]


@dataclass(frozen=True)
class Effective:
    """One setting as a run would have it; `came_from` is default, the settings file, --set, or the pool's file."""

    name: str
    value: Any
    came_from: str
    meaning: str

    @property
    def shown(self) -> str:
        """The value as a person reads it."""
        return (", ".join(self.value) if isinstance(self.value, tuple) else str(self.value)) or "(empty)"


def settings(
    sections: Sections = None,
    file: SettingsFile = None,
    assignments: Set = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print the table as Markdown.")] = False,
    as_json: AsJson = False,
) -> None:
    """List every setting, and where it comes from.

    A value comes from its default, from the settings file, from --set, or from the pool in which this runs.

    Examples:
        fanno settings
        fanno settings teacher seeds --settings settings.toml --set seeds.documents=20
        fanno settings --json
    """
    with one_sentence_errors():
        rows = _of_sections(effective(file, assignments or ()), sections or ())
    if as_json:
        typer.echo(json.dumps([asdict(row) for row in rows], indent=2, ensure_ascii=False))
    elif markdown:
        typer.echo(f"| setting | {'value' if file or assignments else 'default'} | meaning |\n| --- | --- | --- |")
        for row in rows:
            typer.echo(f"| `{row.name}` | `{row.shown}` | {row.meaning} |")
    else:
        _print_table(rows)


def effective(file: Path | None, assignments: Iterable[str]) -> list[Effective]:
    """Every setting in order, as a run with this file and these assignments would have it.

    Raises:
        BadSettings: the file cannot be read, or a key or value is refused.
        RunStops: the pool's file cannot be read.
    """
    assignments = list(assignments)
    loaded = load_settings(file, assignments)
    assigned = {assignment.partition("=")[0].strip() for assignment in assignments}
    served = _with_servers(loaded)
    rows = []
    for section in Settings.model_fields:
        asked: Section = getattr(loaded, section)
        group: Section = getattr(served, section)
        for key, field in type(group).model_fields.items():
            name, value = f"{section}.{key}", getattr(group, key)
            if value != getattr(asked, key):
                came_from = POOL
            elif key not in asked.model_fields_set:
                came_from = DEFAULT
            else:
                came_from = ASSIGNED if name in assigned else str(file)
            rows.append(Effective(name, value, came_from, field.description or ""))
    return rows


def _with_servers(loaded: Settings) -> Settings:
    if not os.environ.get(POOL_VARIABLE):
        return loaded
    from deployments.server import quieten_prefect

    quieten_prefect()
    from tasks.teachers import with_servers  # which imports Prefect

    return with_servers(loaded)


def _of_sections(rows: list[Effective], sections: Iterable[str]) -> list[Effective]:
    wanted = list(sections)
    for section in wanted:
        if section not in Settings.model_fields:
            nearest = get_close_matches(section, Settings.model_fields, n=1)
            hint = f"did you mean {nearest[0]}?" if nearest else f"there are {', '.join(Settings.model_fields)}"
            raise BadSettings(f"there is no section {section} of settings; {hint}")
    return [row for row in rows if not wanted or row.name.partition(".")[0] in wanted]


def _print_table(rows: list[Effective]) -> None:
    from rich.markup import escape
    from rich.table import Column, Table

    table = Table(*(Column(name, overflow="fold") for name in ("setting", "value", "comes from", "meaning")))
    # A name that is broken cannot be copied.
    table.columns[0].min_width = max((len(row.name) for row in rows), default=0)
    for row in rows:
        changed = "" if row.came_from == DEFAULT else "bold"
        table.add_row(row.name, escape(row.shown), escape(row.came_from), escape(row.meaning), style=changed)
    console_for([table]).print(table)
