"""`fanno versions`, `fanno diff` and `fanno rollback`: what nights have left, what they changed, and going back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from deployments.cli.options import AsJson, one_sentence_errors
from fanno_core.dataset.current import current_number
from fanno_core.dataset.current import rollback as publish_again
from fanno_core.dataset.differences import Differences
from fanno_core.dataset.differences import diff as differences
from fanno_core.dataset.manifest import Version, local
from fanno_core.dataset.manifest import versions as all_versions
from fanno_core.errors import RunStops
from fanno_core.store.location import open_location
from fanno_core.store.ownership import owned

Out = Annotated[str, typer.Argument(metavar="OUT", help="Folder that `fanno refresh` writes to.")]
First = Annotated[int, typer.Argument(metavar="V1", help="Number of a version.")]
Second = Annotated[int, typer.Argument(metavar="V2", help="Number of another version.")]
Number = Annotated[int, typer.Argument(metavar="V", help="Number of the version.")]
WIDTH = 14
MOST_IDS = 10
MEANS = {"acceptance": "rows of the instructions that passed all filters"}


def versions(out: Out, as_json: AsJson = False) -> None:
    """List the versions that nights have left.

    The current one is what readers get. A version that has not passed its gates is held: it waits, with the reasons
    told here, until somebody publishes it with `fanno rollback`.

    Examples:
        fanno versions ./data
        fanno versions ./data --json
    """
    with one_sentence_errors():
        folder = local(open_location(out))
        found, now = all_versions(folder), current_number(folder)
        if not found:
            raise RunStops(_no_versions(folder))
    if as_json:
        listed = [{**_document(version), "current": version.number == now} for version in found]
        typer.echo(json.dumps({"versions": listed}, indent=2, ensure_ascii=False))
        return
    for version in found:
        typer.echo(_line(version, now))
        for reason in version.reasons:
            typer.echo(f"{'':10}{reason}")


def diff(out: Out, v1: First, v2: Second, as_json: AsJson = False) -> None:
    """Say what changed from one version to another.

    Told are the measures of both versions, and how many rows came, went and changed, with the first ids of each;
    --json has them all. A row has changed where its id is the same and anything else of it is not: its response was
    written anew, for instance.

    Examples:
        fanno diff ./data 3 4
        fanno diff ./data 4 3 --json
    """
    with one_sentence_errors():
        found = differences(local(open_location(out)), v1, v2)
    if as_json:
        typer.echo(json.dumps(asdict(found), indent=2, ensure_ascii=False))
        return
    for line in _lines(found):
        typer.echo(line)


def rollback(out: Out, version: Number, as_json: AsJson = False) -> None:
    """Give readers an earlier version, or a held one.

    All that is below OUT stays as it is, but for where `current` leads. The next refresh starts from this version.

    Examples:
        fanno rollback ./data 3
        fanno rollback ./data 4 --json
    """
    with one_sentence_errors():
        folder = local(open_location(out))
        if not (folder / "versions").is_dir():
            raise RunStops(_no_versions(folder))
        with owned(folder):
            found = publish_again(folder, version)
    if as_json:
        typer.echo(json.dumps({**_document(found), "current": True}, indent=2, ensure_ascii=False))
        return
    typer.echo(f"version {found.number} is current: {found.rows:,} rows, digest {found.digest[:16]}")


def _no_versions(out: Path) -> str:
    """That there is none, and what the first one would be."""
    if (out / "dataset").is_dir():
        made = f"`fanno refresh --corpus ... --out {out}`, with the settings of the run, makes it version 1"
        return f"{out} has no versions, but a run: {made}"
    return f"{out} has no versions: `fanno refresh --corpus ... --out {out}` makes the first one"


def _document(version: Version) -> dict[str, Any]:
    return {name: value for name, value in asdict(version).items() if name != "files"}


def _line(version: Version, now: int) -> str:
    state = "current" if version.number == now else version.status
    parent = f"after {version.parent}" if version.parent else ""
    return (
        f"{version.number:>6}  {state:<10}{version.rows:>10,} rows  {version.digest[:16]}  {version.made_at}  {parent}"
    ).rstrip()


def _lines(found: Differences) -> Iterator[str]:
    """The differences as a person reads them."""
    groups = {name: getattr(found, name) for name in ("added", "retired", "changed")}
    yield from (f"{name}: {len(ids):,} rows" for name, ids in groups.items())
    first, second = found.numbers
    yield f"\n{'measures':<24}{f'version {first}':>{WIDTH}}{f'version {second}':>{WIDTH}}"
    for name, (one, other) in found.measures.items():
        values = f"{_shown(one):>{WIDTH}}{_shown(other):>{WIDTH}}"
        yield f"  {name.replace('_', ' '):<22}{values}  {MEANS.get(name, '')}".rstrip()
    yield "task types"
    for name, (one, other) in found.task_types.items():
        yield f"  {name or 'augmented':<22}{one:>{WIDTH},}{other:>{WIDTH},}"
    for name, ids in groups.items():
        if ids:
            yield f"\n{name}"
            yield from (f"  {each}" for each in ids[:MOST_IDS])
        if len(ids) > MOST_IDS:
            yield f"  and {len(ids) - MOST_IDS:,} more, which --json names"


def _shown(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:,.4g}" if isinstance(value, float) else f"{value:,}"
