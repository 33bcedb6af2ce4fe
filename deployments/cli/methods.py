"""`fanno methods`: what can be chosen, read from where it is declared."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import get_args

import typer

from deployments.cli.options import AsJson
from fanno_core.settings import Settings

FLOWS = ("fanno",)


@dataclass(frozen=True)
class Choice:
    """One thing that can be chosen, and what it is in one line."""

    name: str
    says: str


@dataclass(frozen=True)
class Kind:
    """Things of one kind, and how one of them is chosen."""

    chosen_by: str
    choices: tuple[Choice, ...]


def methods(as_json: AsJson = False) -> None:
    """List what can be chosen, with one line each.

    These are methods, corpora and formats, teachers, encoders, partitions, filters, response modes and the like.

    Examples:
        fanno methods
        fanno methods --json
    """
    kinds = every_kind()
    if as_json:
        typer.echo(json.dumps({name: asdict(kind) for name, kind in kinds.items()}, indent=2, ensure_ascii=False))
        return
    for name, kind in kinds.items():
        typer.secho(f"{name}  ({kind.chosen_by})", bold=True)
        for choice in kind.choices:
            typer.echo(f"  {choice.name:<18}{choice.says}")


def every_kind() -> dict[str, Kind]:
    """Every kind of thing that can be chosen, by its name."""
    return {name: read() for name, read in KINDS.items()}


def choices_of(setting: str) -> tuple[Choice, ...]:
    """The values of a setting that has a fixed set of them, each with its line from the setting's description."""
    section, _, key = setting.partition(".")
    field = type(Settings.model_fields[section].default).model_fields[key]
    description = field.description or ""
    return tuple(Choice(value, _line_of(value, description)) for value in get_args(field.annotation))


def _line_of(value: str, description: str) -> str:
    found = re.search(rf"(?:^|[;.] ){re.escape(value)}: ([^;]+)", description)
    return found[1].strip() if found else ""


def _by_setting(setting: str) -> Callable[[], Kind]:
    return lambda: Kind(f"--set {setting}=...", choices_of(setting))


def _methods() -> Kind:
    from fanno_core.methods.table import GENERATORS, generator

    # Parsed, since importing a flow imports Prefect.
    specs = {name: find_spec(f"flows.{name}") for name in FLOWS}
    sources = {name: Path(spec.origin).read_text("utf-8") for name, spec in specs.items() if spec and spec.origin}
    lines = {name: (ast.get_docstring(ast.parse(source)) or "").partition("\n")[0] for name, source in sources.items()}
    ours = tuple(Choice(name, line) for name, line in lines.items())
    return Kind("fanno run --method", (*ours, *(Choice(name, generator(name).meaning) for name in GENERATORS)))


def _transforms() -> Kind:
    from fanno_core.methods.table import TRANSFORMS, transform

    return Kind("fanno transform --with", tuple(Choice(name, transform(name).meaning) for name in TRANSFORMS))


def _selectors() -> Kind:
    from fanno_core.selection.table import SELECTORS, selector

    return Kind("fanno select --by", tuple(Choice(name, selector(name).meaning) for name in SELECTORS))


def _corpora() -> Kind:
    from fanno_core.documents.sources import BUILT_IN

    built_in = [Choice(name, _first_line(found)) for name, found in BUILT_IN.items()]
    return Kind("--corpus", (*built_in, Choice("PATH", "files, folders, or globs in quotes")))


def _documents() -> Kind:
    from fanno_core.documents.readers.table import COMPRESSIONS, FORMATS

    def says(name: str) -> str:
        packed = f"; also packed as {', '.join(COMPRESSIONS)}" if FORMATS[name].compressible else ""
        return ", ".join(FORMATS[name].endings) + packed

    known = (name for name, entry in FORMATS.items() if entry.endings)
    return Kind("by a file's ending", tuple(Choice(name, says(name)) for name in known))


def _encoders() -> Kind:
    field = type(Settings().encoder).model_fields["model"]
    return Kind("--set encoder.model=...", (Choice(str(field.default), field.description or ""),))


def _exports() -> Kind:
    from fanno_core.export.formats import FORMATS

    return Kind("fanno export --format", tuple(Choice(name, form.meaning) for name, form in FORMATS.items()))


def _first_line(function: Callable[..., object]) -> str:
    return (function.__doc__ or "").strip().partition("\n")[0]


KINDS: Mapping[str, Callable[[], Kind]] = {
    "methods": _methods,
    "transforming methods": _transforms,
    "selectors": _selectors,
    "corpora": _corpora,
    "document formats": _documents,
    "teachers": _by_setting("teacher.name"),
    "encoders": _encoders,
    "encoder runtimes": _by_setting("encoder.runtime"),
    "partitions": _by_setting("communities.partition"),
    "partition qualities": _by_setting("communities.quality"),
    "preferences among near-equal documents": _by_setting("screen.prefer"),
    "personal data": _by_setting("screen.personal_data"),
    "keyword rules": _by_setting("filters.hard"),
    "counterexamples": _by_setting("augment.selection"),
    "bandits": _by_setting("augment.bandit"),
    "response modes": _by_setting("responses.mode"),
    "export formats": _exports,
    "versions with a report": _by_setting("refresh.report"),
    "task runners": _by_setting("run.runner"),
}
