"""How commands are found, described and refused: loaded when used, helped by examples, one sentence a fault."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib import import_module
from textwrap import dedent
from typing import Any, ClassVar, NamedTuple

import typer
from rich.markup import escape
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

EXAMPLES = "Examples:"


class Command(NamedTuple):
    """A command as the table of commands has it.

    Attributes:
        place: `module:name` of its function, or of a `typer.Typer` of further commands.
        says: one line for the list of commands.
        panel: heading under which it is listed.
    """

    place: str
    says: str
    panel: str


class ExampledCommand(TyperCommand):
    """A command whose help ends with the examples of its docstring."""

    def __init__(self, name: str | None, **attributes: Any) -> None:
        said, _, examples = (attributes.pop("help", None) or "").partition(EXAMPLES)
        lines = [line for line in dedent(examples.strip("\n")).splitlines() if line.strip()]
        shown = "\n".join(f"  {escape(line)}" for line in lines)
        epilog = f"[bold]{EXAMPLES}[/bold]\n{shown}" if lines else None
        super().__init__(name, **(attributes | {"help": _unwrapped(escape(said)), "epilog": epilog}))


class CommandGroup(TyperGroup):
    """The group of the commands in `table`. A command's module is imported when that command is used, not before."""

    table: ClassVar[Mapping[str, Command]] = {}

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - typer's signature
        """Every name, in the table's order."""
        return list(self.table)

    def get_command(self, ctx: Any, cmd_name: str) -> TyperCommand | None:  # noqa: ARG002
        """What stands for a command in lists and completions: its name and its line."""
        listed = self.table.get(cmd_name)
        return listed and TyperCommand(cmd_name, help=listed.says, rich_help_panel=listed.panel)

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """The command itself, and the words that are left for it."""
        names: Any = dict.fromkeys(self.table)
        self.commands = names  # which a wrong name is held against
        name, stand_in, rest = super().resolve_command(ctx, args)
        return name, stand_in and self.load(str(name)), rest

    def load(self, name: str) -> Any:
        """The command of that name, imported."""
        module, _, attribute = self.table[name].place.partition(":")
        found = getattr(import_module(module), attribute)
        if not isinstance(found, typer.Typer):
            alone = typer.Typer(add_completion=False, rich_markup_mode="rich")
            alone.command(name, cls=ExampledCommand)(found)
            found = alone
        return get_command(found)

    def main(self, *args: Any, **named: Any) -> Any:
        """Runs a command to its end; a wrong word on the command line is told in one sentence with a hint."""
        is_alone, named["standalone_mode"] = named.get("standalone_mode", True), False
        if not is_alone:
            return super().main(*args, **named)
        try:
            sys.exit(super().main(*args, **named) or 0)
        except typer.TyperException as error:
            if error.format_message():  # where no words were given, the help was printed
                typer.secho(f"error: {_sentence(error)}", fg="red", err=True)
            sys.exit(error.exit_code)
        except typer.Abort:
            sys.exit(1)


def _sentence(error: typer.TyperException) -> str:
    nearest = getattr(error, "possibilities", None)
    said = f"{error.message}, did you mean {' or '.join(nearest)}?" if nearest else error.format_message()
    said = said.strip().replace(". Did you mean", ", did you mean").rstrip(".?")
    context = getattr(error, "ctx", None)
    hint = f"; see `{context.command_path} --help`" if context else ""
    return " ".join(f"{said[0].lower()}{said[1:]}{hint}".split())


def _unwrapped(text: str) -> str:
    """Paragraphs as one line each: the terminal's width breaks them, not the source's."""
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in text.strip().split("\n\n"))
