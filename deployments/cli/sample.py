"""`fanno sample`: a few rows of a run, to look at and to explain."""

from __future__ import annotations

import json
import shlex
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Group
from rich.text import Text

from deployments.cli.options import AsJson, FinishedOut, one_sentence_errors
from deployments.cli.told import indented, shortened, show, text_of
from fanno_core.dataset.made import open_made
from fanno_core.errors import RunStops
from fanno_core.lineage.sample import Sampled, sample_rejected, sample_rows
from fanno_core.store.location import open_location

TaskType = Annotated[
    str, typer.Option("--task-type", help="Only rows of this task type; augmented: those asked for without one.")
]
Rejected = Annotated[bool, typer.Option("--rejected", help="Rejected rows and documents instead, with their reasons.")]
Reason = Annotated[str, typer.Option("--reason", help="Only what was rejected for this reason, such as not_novel.")]
Count = Annotated[int, typer.Option("--n", min=1, max=10_000, help="Most rows.")]
Seed = Annotated[int, typer.Option("--seed", help="Another seed draws other rows, the same seed the same.")]
# `fanno explain` and --json have all of it.
MOST_CHARS = 600


def sample(
    out: FinishedOut,
    task_type: TaskType = "",
    rejected: Rejected = False,
    reason: Reason = "",
    n: Count = 5,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Show some rows of a finished run, kept or rejected.

    Rows are spread over task types and iterations, rejected ones over phases and reasons. `fanno explain` tells how
    each came about.

    Examples:
        fanno sample --out ./data
        fanno sample --out ./data --task-type mathematics --n 10
        fanno sample --out ./data --rejected --seed 2
        fanno sample --out ./data --reason not_novel --json
    """
    with one_sentence_errors():
        if task_type and (rejected or reason):
            raise RunStops("--task-type tells kept rows apart, rejected ones have --reason: give one of them")
        made = open_made(open_location(out))
        chosen = sample_rejected(made, n, seed, reason) if rejected or reason else sample_rows(made, n, seed, task_type)
    if as_json:
        typer.echo(json.dumps([asdict(row) for row in chosen], indent=2))
        return
    show(map(_shown, chosen))
    if chosen:
        typer.echo(f"\nhow one came about: fanno explain {chosen[0].id} --out {shlex.quote(str(out))}")


def _shown(row: Sampled) -> Group:
    kind = f"{row.task_type}, {row.form}, iteration {row.iteration}" if row.kept else f"{row.phase}, {row.reason}"
    heading = Text.assemble((f"\n{row.id}", "bold"), "  ", (kind, "green" if row.kept else "red"))
    document = f"document {row.document_id}" if row.document_id else ""
    parts = [text_of(", ".join(filter(None, (document, row.source, row.detail))), "dim")]
    for label, text in (("", row.instruction), ("input: ", row.input), ("response: ", row.output), ("", row.text)):
        if text:
            parts.append(Text.assemble((label, "bold"), text_of(shortened(text, MOST_CHARS))))
    return Group(heading, *map(indented, parts))
