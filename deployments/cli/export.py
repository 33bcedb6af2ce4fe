"""`fanno export`: a finished run's rows for the tools that people use."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from math import ceil
from typing import Annotated, Any

import typer

from deployments.cli.options import AsJson, OutOfRun, one_sentence_errors
from fanno_core.dataset.made import open_made
from fanno_core.errors import RunStops
from fanno_core.export.formats import FORMATS, format_of
from fanno_core.export.make import Export, Wanted, make_export
from fanno_core.export.push import Pushed, push
from fanno_core.export.split import shares_of
from fanno_core.export.stanzas import TRAIN
from fanno_core.export.target import Target, target_of, write_export
from fanno_core.store.durable import sha256_of
from fanno_core.store.location import open_location

PUSHED = "parquet"
# No split with another beside it has a larger share that helps.
MOST_OF_ALL = 0.5


def _formats_beginning(typed: str) -> list[tuple[str, str]]:
    """The formats that begin so, for the shell's completion."""
    return [(name, form.meaning) for name, form in FORMATS.items() if name.startswith(typed)]


Format = Annotated[
    str,
    typer.Option(
        "--format",
        metavar="FORMAT",
        help="; ".join(f"{name}: {form.meaning}" for name, form in FORMATS.items()) + ".",
        autocompletion=_formats_beginning,
    ),
]
To = Annotated[
    str, typer.Option("--to", metavar="FOLDER_OR_FILE", help="Where to; needed unless the rows go to the hub alone.")
]
Split = Annotated[
    str, typer.Option(metavar="NAME=SHARE,...", help="Splits by community, such as train=0.95,validation=0.05.")
]
MaxRows = Annotated[int, typer.Option(min=0, help="Most rows, the most diverse first; 0: all of them.")]
Filter = Annotated[
    str,
    typer.Option(
        "--filter", metavar="EXPR", help="SQL condition, such as: output_tokens < 300 AND form = 'imperative'"
    ),
]
System = Annotated[str | None, typer.Option(metavar="TEXT", help="System message; by default the run's.")]
Seed = Annotated[int | None, typer.Option(min=0, help="Seed of the splits; by default the run's.")]
PushToHub = Annotated[
    str,
    typer.Option(
        "--push-to-hub",
        metavar="OWNER/NAME",
        help="Upload Parquet and card to this data-set repository of the Hugging Face hub; without a token, say what "
        "would be uploaded.",
    ),
]
Public = Annotated[bool, typer.Option("--public", help="Make the repository public where it has to be made.")]
Force = Annotated[bool, typer.Option("--force", help="Write over files that no export wrote, or changed since.")]


def export(
    out: OutOfRun,
    form: Format = "",
    to: To = "",
    split: Split = f"{TRAIN}=1",
    max_rows: MaxRows = 0,
    condition: Filter = "",
    system: System = None,
    seed: Seed = None,
    push_to_hub: PushToHub = "",
    public: Public = False,
    force: Force = False,
    as_json: AsJson = False,
) -> None:
    """Write a finished run's rows in the format of a trainer or tool, with their card.

    Rows are filtered, thinned out and split in this order. Lists, such as flags, are JSON texts in a condition.

    Examples:
        fanno export ./data --format messages --to ./chats --split train=0.95,validation=0.05
        fanno export ./data --format llama-factory --to ./lf --max-rows 1000 --system "Answer briefly."
        fanno export ./data --format alpaca --to short.json --filter "output_tokens < 300 AND flags = '[]'"
        fanno export ./data --push-to-hub me/my-data
    """
    with one_sentence_errors():
        _check(form, to, push_to_hub)
        made = open_made(open_location(out))
        wanted = Wanted(
            format=form or PUSHED,
            condition=condition,
            max_rows=max_rows,
            shares=shares_of(split),
            seed=made.settings.run.seed if seed is None else seed,
            system=made.settings.publish.system if system is None else system,
        )
        target = target_of(to, format_of(wanted.format).suffix, made.out) if to else None
        if push_to_hub and target and target.file:
            raise RunStops(f"--to {to}: what goes to the hub is a folder; name one, or leave out --to")
        ready = make_export(made, wanted, target.file if target else "")
        if target:
            write_export(target, ready.files, ready.told, force)
        pushed = push(ready.files, push_to_hub, private=not public, force=force) if push_to_hub else None
    if as_json:
        typer.echo(json.dumps(_document(ready, target, pushed), indent=2, ensure_ascii=False))
        return
    for line in _lines(ready, target, pushed):
        typer.echo(line)


def _check(form: str, to: str, push_to_hub: str) -> None:
    if push_to_hub and form not in ("", PUSHED):
        raise RunStops(f"--push-to-hub uploads {PUSHED}, which the hub shows; leave out --format {form}")
    if not (push_to_hub or form):
        raise RunStops(f"--format is missing: name one of {', '.join(FORMATS)}")
    if not (push_to_hub or to):
        raise RunStops("--to is missing: name the folder or file to write, such as --to ./export")


def _document(ready: Export, target: Target | None, pushed: Pushed | None) -> dict[str, Any]:
    return {
        **ready.told,
        "files": [
            {"path": _place(name, target), "bytes": len(data), "sha256": sha256_of(data)}
            for name, data in ready.files.items()
        ],
        "stanza": ready.stanza and asdict(ready.stanza),
        "pushed": pushed and asdict(pushed),
    }


def _lines(ready: Export, target: Target | None, pushed: Pushed | None) -> Iterator[str]:
    told = ready.told
    yield f"{told['rows']:,} of {told['of']:,} rows as {told['format']}"
    if len(told["splits"]) > 1:
        for name, split in told["splits"].items():
            came = f"{split['rows'] / told['rows']:.2%} of the rows where {split['share']:.2%} was asked for"
            yield f"  {name:<12}{split['rows']:>10,} rows, {split['communities']:,} communities, {came}"
            yield f"  {'':<12}{_listed(split['kinds'])}; task types: {_listed(split['task_types'])}"
        yield from map(_warning, told["missing"])
    if pushed and not pushed.url:
        yield f"nothing was uploaded: there is no token (`hf auth login`, or HF_TOKEN); with one, {_whose(pushed)} gets"
    for name, data in ready.files.items():
        yield f"  {_place(name, target)}  {len(data):,} bytes"
    if pushed and pushed.url:
        yield f"uploaded to {_whose(pushed)}: {pushed.url}"
    if ready.stanza:
        yield f"{ready.stanza.hint}:\n\n{ready.stanza.text}"


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{count:,} {name}" for name, count in counts.items())


def _warning(missing: dict[str, Any]) -> str:
    """What a split lacks, and what helps: whole communities go together, and a small split has no room for them."""
    share = ceil(missing["share"] * 100) / 100
    if share > MOST_OF_ALL:
        return (
            f"warning: {missing['split']} has no {missing['kind']} rows: they stand in one community or in large ones"
        )
    return (
        f"warning: {missing['split']} has no {missing['kind']} rows: the smallest community that holds some needs a "
        f"share of {share:g} or more"
    )


def _place(name: str, target: Target | None) -> str:
    return str(target.folder / name) if target else name


def _whose(pushed: Pushed) -> str:
    return f"the {'private' if pushed.private else 'public'} data set {pushed.repository}"
