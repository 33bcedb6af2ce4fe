"""Every setting with its limits, its default and its meaning."""

from __future__ import annotations

from typing import Any, get_args

from pydantic.fields import FieldInfo

from deployments.docs.table import code, stacked, table
from fanno_core.settings import Section, Settings

INTRODUCTION = """# Settings

Give them in a TOML file (`--settings FILE.toml`), one by one (`--set section.key=value`), or as the `settings` of a
Prefect deployment. An unknown name is refused, and so is a value outside its limits. `fanno settings` lists what a run
would have, and where each value comes from.

A setting marked *no byte* changes how a run is done, not what it makes: change it at any time, and every phase stays
cached. Any other setting redoes the [phases](phases.md) that read it, and those after them.
"""


def page() -> str:
    """The page of settings, section by section."""
    sections = (_section(name, type(group)) for name, group in Settings())
    return "\n\n".join((INTRODUCTION, *sections)) + "\n"


def _section(name: str, section: type[Section]) -> str:
    rows = option_rows(section, f"{name}.")
    told = (section.__doc__ or "").strip().partition("\n")[0]
    return f"## {name}\n\n{told}\n\n{stacked(table(('setting', 'meaning', 'default', 'limits'), rows))}"


def option_rows(section: type[Section], prefix: str = "") -> list[tuple[str, str, str, str]]:
    """A row of the table for each setting of a section: name, meaning, default, limits."""
    return [
        (code(f"{prefix}{key}"), _meaning(field), _shown(field), _limits(field))
        for key, field in section.model_fields.items()
    ]


def _shown(field: FieldInfo) -> str:
    value: Any = field.default
    if isinstance(value, bool):
        return code(str(value).lower())
    if isinstance(value, tuple):
        return code(", ".join(map(str, value))) or "none"
    return code(str(value)) or "empty"


def _limits(field: FieldInfo) -> str:
    """What a value may be: its choices, or its smallest and largest value."""
    if choices := [choice for choice in get_args(field.annotation) if isinstance(choice, str)]:
        return " ".join(map(code, choices))
    signs = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}
    bounds = {
        sign: getattr(limit, name) for limit in field.metadata for name, sign in signs.items() if hasattr(limit, name)
    }
    return ", ".join(f"{sign} {bound:,}" for sign, bound in bounds.items())


def _meaning(field: FieldInfo) -> str:
    extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
    return f"{field.description}{' (*no byte*)' if extra.get('bytes') is False else ''}"
