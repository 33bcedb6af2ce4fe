"""Every method and selector: what it does, what it reads, what it may ask, its options."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from deployments.docs.settings import option_rows
from deployments.docs.table import code, stacked, table
from fanno_core.methods.contract import Generator
from fanno_core.methods.table import GENERATORS, TRANSFORMS, generator, transform
from fanno_core.selection.table import SELECTORS, selector

INTRODUCTION = """# Methods and selectors

`fanno methods` lists them on the command line. Options are given with `--option NAME=VALUE`, or in a settings file as
tables `[method.options]` and `[select.options.SELECTOR]`. What is not named keeps its default.
"""
READS = {
    "documents": "the documents that FANNO's pre-screen leaves",
    "pool": "a pool of rows that it lets grow: of a file (`--given`), or FANNO's seeds",
    "nothing": "nothing: the teacher writes by itself",
}


def page() -> str:
    """The page of methods."""
    return "\n\n".join([INTRODUCTION, *_sections()]) + "\n"


def _sections() -> Iterator[str]:
    yield "## Methods that write rows\n\n`fanno run --method NAME`, besides `fanno`, which is the default."
    yield from (_section(generator(name), name) for name in GENERATORS)
    yield "## Methods that change rows\n\n`fanno transform --with NAME IN --out OUT`."
    yield from (_section(transform(name), name) for name in TRANSFORMS)
    yield "## Selectors\n\n`fanno select --by NAME --keep HOW_MUCH IN --out OUT`, or `select.by` in any run."
    yield from (_section(selector(name), "") for name in SELECTORS)


def _section(entry: Any, linked: str) -> str:
    told = [f"{entry.meaning[0].upper()}{entry.meaning[1:]}."]
    if isinstance(entry, Generator):
        told.append(f"It reads {READS[entry.reads]}.")
    if entry.prompts:
        told.append(f"Prompts: {', '.join(map(code, entry.prompts))}.")
    if linked:
        told.append(f"[How it works](../methods/{linked}.md).")
    rows = option_rows(entry.options)
    options = stacked(table(("option", "meaning", "default", "limits"), rows)) if rows else "It has no options."
    return f"### {entry.name}\n\n{' '.join(told)}\n\n{options}"
