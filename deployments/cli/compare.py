"""`fanno compare`: two finished runs side by side."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import Annotated, Any

import typer

from deployments.cli.options import AsJson, one_sentence_errors
from fanno_core.communities.encoder import Encoder
from fanno_core.dataset.made import open_made
from fanno_core.report.two_runs import Comparison, compare_runs
from fanno_core.store.location import open_location

First = Annotated[str, typer.Argument(metavar="OUT1", help="Folder or s3:// URL of a run.")]
Second = Annotated[str, typer.Argument(metavar="OUT2", help="Folder or s3:// URL of another run.")]
WIDTH = 30


def compare(out1: First, out2: Second, as_json: AsJson = False) -> None:
    """Hold two finished runs side by side.

    Told are the settings that differ, the rows that each phase kept, the measures of both data sets, and how many
    rows they have in common. Both are measured as the settings of the first one say.

    Examples:
        fanno compare ./data ./data-without-augmentation
        fanno compare ./monday s3://bucket/tuesday --json
    """
    with one_sentence_errors():
        first, second = (open_made(open_location(out)) for out in (out1, out2))
        found = compare_runs(first, second, Encoder(first.settings.encoder).encode)
    if as_json:
        typer.echo(json.dumps(asdict(found), indent=2, ensure_ascii=False))
        return
    for line in as_lines(found):
        typer.echo(line)


def as_lines(found: Comparison) -> Iterator[str]:
    """The comparison as a person reads it."""
    yield from (f"{number}  {out}" for number, out in enumerate(found.outs, 1))
    yield f"{found.common:,} rows in common by id, {found.identical:,} of them with the same words"
    yield _line("\nrows", "1", "2")
    yield _line("  of the data set", *found.rows)
    yield from (_line(f"  kept by {name}", *pair) for name, pair in found.funnel.items())
    yield "\nmeasures"
    yield from (_line(f"  {name}", *pair) for name, pair in found.measures.items())
    yield "\nsettings that differ" + ("" if found.settings else ": none")
    yield from (_line(f"  {name}", *pair) for name, pair in found.settings.items())


def _line(name: str, one: Any, other: Any) -> str:
    return f"{name:<{WIDTH}}  {_shown(one):>{WIDTH}}  {_shown(other):>{WIDTH}}"


def _shown(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool | str):
        return str(value) or "(empty)"
    if isinstance(value, tuple):
        return ", ".join(map(str, value)) or "(empty)"
    return f"{value:,.4g}" if isinstance(value, float) else f"{value:,}"
