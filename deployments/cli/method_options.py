"""Options of commands that take a method or selectors, and the settings that they stand for."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from fanno_core.errors import BadSettings
from fanno_core.methods.table import GENERATORS, generator
from fanno_core.settings import Settings
from fanno_core.store.contracts import FANNO

Option = Annotated[
    list[str] | None,
    typer.Option(
        "--option", help="One of the method's own options, such as epochs=4; may be repeated.", metavar="NAME=VALUE"
    ),
]
Given = Annotated[
    list[Path] | None,
    typer.Option(
        "--given", help="Instruction file whose rows the method begins with; may be repeated.", metavar="FILE"
    ),
]
Files = Annotated[
    list[Path], typer.Argument(metavar="IN...", help="Instruction files: JSON, JSONL, CSV, TSV or Parquet.")
]
By = Annotated[
    list[str] | None,
    typer.Option("--by", help="A selector (`fanno methods`); may be repeated, they work in order.", metavar="NAME"),
]
HowMuch = Annotated[
    list[str] | None,
    typer.Option(
        "--keep", help="What it keeps: 10% of the rows, 500 rows, or '>=4.5'. One for each --by.", metavar="HOW_MUCH"
    ),
]


def method_assignments(name: str, options: Sequence[str] | None, given: Sequence[Path] | None) -> list[str]:
    """The settings that --method, --option and --given stand for, as `--set` writes them.

    Raises:
        BadSettings: an option is not written as NAME=VALUE.
    """
    found = [f"method.name={json.dumps(name)}"] if name else []
    if options:
        found.append(f"method.options={_table(options)}")
    if given:
        found.append(f"method.given={json.dumps([str(path.absolute()) for path in given], ensure_ascii=False)}")
    return found


def check_heeded(settings: Settings, corpus: Sequence[str], options: Sequence[str], given: Sequence[Path]) -> None:
    """Refuses options, files of rows and documents that the method of a run would not look at.

    Args:
        settings: of the run, with what --method, --option and --given stand for.
        corpus: what --corpus names.
        options: what --option says.
        given: what --given names.

    Raises:
        BadSettings: there is such a thing; the message says what to leave out.
    """
    name = settings.method.name
    if name == FANNO:
        if options or given:
            raise BadSettings(
                "--option and --given belong to --method NAME, not to FANNO itself; name the method, or leave them out"
            )
        return
    reads = generator(name).reads if name in GENERATORS else "pool"
    if corpus and reads == "nothing":
        raise BadSettings(f"--corpus: method {name} reads no documents; leave it out")
    if corpus and reads == "pool" and settings.method.given:
        raise BadSettings("--corpus: the run begins with the rows of --given and reads no documents; leave one out")


def select_assignments(
    by: Sequence[str] | None, keep: Sequence[str] | None, options: Sequence[str] | None
) -> list[str]:
    """The settings that --by, --keep and the --option of selectors stand for.

    An option is written as SELECTOR.NAME=VALUE, or NAME=VALUE where there is one selector.

    Raises:
        BadSettings: an option does not say whose it is.
    """
    names = list(by or ())
    found = [f"select.by={json.dumps(names)}"] if names else []
    if keep:
        found.append(f"select.keep={json.dumps(list(keep))}")
    groups: dict[str, list[str]] = {}
    for option in options or ():
        owner, dot, rest = option.partition("=")[0].partition(".")
        whose = owner if dot else names[0] if len(names) == 1 else ""
        if not whose:
            raise BadSettings(f"--option {option}: write whose it is, such as {names[0] if names else 'ifd'}.{option}")
        groups.setdefault(whose, []).append(f"{rest}={option.partition('=')[2]}" if dot else option)
    if groups:
        tables = ", ".join(f"{json.dumps(name)} = {_table(each)}" for name, each in groups.items())
        found.append(f"select.options={{{tables}}}")
    return found


def _table(options: Sequence[str]) -> str:
    """Options as an inline table of TOML; a value that TOML does not read is a text."""
    pairs = []
    for option in options:
        name, equals, value = option.partition("=")
        if not (equals and name.strip()):
            raise BadSettings(f"--option {option}: write it as NAME=VALUE, such as epochs=4")
        pairs.append(f"{json.dumps(name.strip())} = {_value(value.strip())}")
    return f"{{{', '.join(pairs)}}}"


def _value(text: str) -> str:
    try:
        tomllib.loads(f"value = {text}")
    except tomllib.TOMLDecodeError:
        return json.dumps(text, ensure_ascii=False)
    return text
