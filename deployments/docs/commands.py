"""Every command with its arguments, options and examples, as its help has them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import typer
from rich.text import Text
from typer.main import get_command

from deployments.cli import app
from deployments.cli.app import COMMANDS
from deployments.cli.group import EXAMPLES
from deployments.docs.table import code, stacked, table

INTRODUCTION = """# Commands

`fanno COMMAND --help` shows the same in a terminal, and `fanno --install-completion` sets up your shell's completion.
A command ends with 0, or with another code and one sentence that says what to do. `--json` is there wherever a script
may want to read along.
"""


def page() -> str:
    """The page of commands, in the order and under the headings of `fanno --help`."""
    group: Any = get_command(app)
    parts, panel = [INTRODUCTION], ""
    for name, listed in COMMANDS.items():
        if listed.panel != panel:
            panel = listed.panel
            parts.append(f"## {panel}")
        parts += _command(f"fanno {name}", group.load(name))
    return "\n\n".join(parts) + "\n"


def _command(name: str, command: Any) -> Iterator[str]:
    """A command's section; of a group, one for each of its commands."""
    if commands := getattr(command, "commands", None):
        for inner, found in commands.items():
            yield from _command(f"{name} {inner}", found)
        return
    yield f"### {name}"
    yield str(command.help)
    parameters = [_parameter(parameter) for parameter in command.params if not parameter.hidden]
    if parameters:
        yield stacked(table(("option", "meaning", "default"), parameters))
    # Which the help marks up for a terminal.
    examples = Text.from_markup(command.epilog or "").plain.removeprefix(EXAMPLES)
    lines = [line.strip() for line in examples.splitlines() if line.strip()]
    yield "\n".join(("```", *lines, "```"))


def _parameter(parameter: Any) -> tuple[str, str, str]:
    if isinstance(parameter, typer.core.TyperArgument):
        name = str(parameter.metavar or parameter.name).upper()
    else:
        name = ", ".join((*parameter.opts, *parameter.secondary_opts))
        if not parameter.is_flag:
            name += f" {parameter.metavar or _kind(parameter)}"
    default = "required" if parameter.required else code(_shown(parameter.default))
    return code(name), str(parameter.help or ""), default


def _kind(parameter: Any) -> str:
    annotation = parameter.type_descriptor.annotation
    return {int: "INTEGER", float: "NUMBER"}.get(annotation, "TEXT")


def _shown(default: Any) -> str:
    return "" if default in (None, False, (), "") else str(default)
