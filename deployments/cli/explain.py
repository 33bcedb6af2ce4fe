"""`fanno explain`: how a row or document came to be what it is."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Sequence
from typing import Annotated

import typer
from rich.console import Group, RenderableType
from rich.table import Column, Table
from rich.text import Text

from deployments.cli.options import AsJson, FinishedOut, one_sentence_errors
from deployments.cli.told import indented, shortened, show, text_of
from fanno_core.dataset.made import open_made
from fanno_core.lineage.explain import explain as explanation_of
from fanno_core.lineage.explanation import Asked, Check, Child, Explanation, Shown
from fanno_core.store.location import open_location

RowId = Annotated[
    str,
    typer.Argument(
        metavar="ROW_ID", help="Id of a row, a rejected row or a document; its first digits, where no other begins so."
    ),
]
# Of texts that stand in full elsewhere: in the prompts.
MOST_CHARS = 400


def explain(row_id: RowId, out: FinishedOut, as_json: AsJson = False) -> None:
    """Say how a row or a document came to be what it is.

    Told are the document, the filters with their scores, the tags, the counterexamples, the response with what was
    retrieved for it, and every question to the teacher: the prompt as sent and the raw answer. Nobody is asked anew.
    `fanno sample` lists ids.

    Examples:
        fanno explain 1a2b3c4d5e6f7081 --out ./data
        fanno explain 1a2b --out ./data
        fanno explain 1a2b --out s3://bucket/data --json
    """
    with one_sentence_errors():
        told = asyncio.run(explanation_of(open_made(open_location(out)), row_id))
    if as_json:
        typer.echo(json.dumps(told.to_json(), indent=2))
        return
    show(part for heading, body in _parts(told) for part in (text_of(f"\n{heading}", "bold"), indented(body)))


def _parts(told: Explanation) -> Iterable[tuple[str, RenderableType]]:
    """Heading and body of each part that applies, what is asked for most often first."""
    yield f"{told.kind} {told.id}", _fate(told)
    if row := told.instruction:
        tags = [row.task_type, row.form, row.characteristic, f"iteration {row.iteration}"]
        yield "instruction", Group(text_of(row.question), _dim(tags))
    if response := told.response:
        how = [f"mode {response.mode}", f"{response.tokens:,} tokens", response.sampling, *response.flags]
        yield "response", Group(text_of(response.text), _dim(how))
    if told.filters:
        yield "filters of instruction and response", _checks(told.filters)
    if told.counterexamples:
        yield "counterexamples that the prompt showed", _shown(told.counterexamples)
    if told.parents:
        yield "rows that it was made of", _shown(told.parents)
    if told.retrieved:
        yield "documents retrieved for the response", _shown(told.retrieved)
    if document := told.document:
        where = [document.id, document.source, document.location, document.carried_id, document.licence]
        measured = [document.language, f"{document.words:,} words" if document.words else "", *document.personal_data]
        body = text_of(document.text)
        yield "document", Group(_dim(where), body, _dim(measured))
    if told.screening:
        yield "filters of the document", _checks(told.screening)
    if place := told.place:
        rank = f"rank {place.rank} of {place.members:,}"
        yield "community", text_of(f"{place.community}, {rank}, topic {place.topic}, place {place.order} in the queue")
    if told.children:
        yield "written from it", _children(told.children)
    for number, asked in enumerate(told.questions, 1):
        yield f"question {number} of {len(told.questions)}: {asked.prompt}", _asked(asked)


def _fate(told: Explanation) -> Group:
    fate = told.fate
    if fate.kept:
        what = "in the data set" if told.kind == "row" else f"kept by every phase up to {fate.phase}"
        said = Text(what, style="green")
    else:
        why = ": ".join(filter(None, (fate.reason, fate.detail)))
        said = text_of(f"rejected by {fate.phase}, {why}", "red")
    return Group(said, *(text_of(note, "yellow") for note in told.notes))


def _checks(checks: Sequence[Check]) -> Table:
    columns = (Column(name, overflow="fold") for name in ("phase", "filter", "score", "asked for", ""))
    table = Table(*columns, box=None, pad_edge=False, header_style="dim")
    table.columns[1].min_width = max(len(check.name) for check in checks)
    for check in checks:
        score = "" if check.score is None else f"{check.score:.4g}"
        verdict = Text("passed", style="green") if check.passed else Text("failed", style="red")
        said = Text.assemble(verdict, " ", text_of(check.detail))
        table.add_row(check.phase, check.name, score, check.limit, said)
    return table


def _shown(rows: Sequence[Shown]) -> Group:
    return Group(*(Group(_dim(f"{row.id}, {row.source}"), text_of(shortened(row.text, MOST_CHARS))) for row in rows))


def _children(rows: Sequence[Child]) -> Group:
    lines = (f"{row.id}  {'kept' if row.kept else f'{row.phase}, {row.reason}'}: {row.instruction}" for row in rows)
    return Group(*(text_of(shortened(line, MOST_CHARS)) for line in lines))


def _asked(asked: Asked) -> Group:
    parts: list[RenderableType] = [_dim(f"about {asked.about}, {asked.sampling}")]
    if asked.text is not None:
        parts.append(text_of(asked.text))
    if asked.answer is not None:
        counted = f"{asked.prompt_tokens:,} tokens of prompt, {asked.completion_tokens:,} of answer, {asked.finish}"
        probability = "" if asked.probability is None else f"probability of 1: {asked.probability:.4g}, "
        parts += [Text("answer", style="bold"), text_of(asked.answer), _dim(probability + counted)]
    if asked.note:
        parts.append(text_of(asked.note, "yellow"))
    return Group(*parts)


def _dim(text: str | list[str]) -> Text:
    """What stands beside a text; of a list what is not empty, with commas."""
    return text_of(text if isinstance(text, str) else ", ".join(filter(None, text)), "dim")
