"""What a run tells at its end: the funnel, three rows, and where everything lies."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import typer

from deployments.cli.told import harmless
from fanno_core.dataset.card import WITHOUT_WEIGHTS, way_of, written_by_teacher
from fanno_core.store.contracts import FANNO
from fanno_core.store.durable import names_in, read_whole
from fanno_core.store.location import Location
from fanno_core.store.tables import read_table

SAMPLE_ROWS = 3
SAMPLE_COLUMNS = ["id", "instruction", "input", "output", "task_type", "iteration", "source", "method"]
WIDTH = 110
TOTALS = ("tasks", "tasks_cached", "teacher_calls", "prompt_tokens", "cached_tokens", "completion_tokens")
COUNTS = ("name", "candidates", "rows_kept", "rejected")
REPORT = "report/index.html"
LEFT = ("dataset", "dataset/README.md", "rejected", "run.json")


@dataclass(frozen=True)
class Summary:
    """A finished run, in short.

    Attributes:
        rows, digest: of the data set.
        teacher: who answered.
        funnel: candidates, kept rows and rejections of each phase.
        total: tasks, teacher calls and tokens of all phases.
        sample: three rows.
        paths: where everything lies, by what it is.
        preview: whether a teacher without weights wrote rows.
    """

    rows: int
    digest: str
    teacher: str
    funnel: tuple[Mapping[str, Any], ...]
    total: Mapping[str, int]
    sample: tuple[Mapping[str, Any], ...]
    paths: Mapping[str, str]
    preview: bool

    def as_json(self) -> str:
        """One line of JSON."""
        return json.dumps(asdict(self), ensure_ascii=False)


def summary(out: Location) -> Summary:
    """What is told of the last run of this folder."""
    record = json.loads(read_whole(out / "run.json"))
    left = (*LEFT, REPORT) if (out / REPORT).is_file() else LEFT
    return Summary(
        rows=record["dataset"]["rows"],
        digest=record["dataset"]["digest"],
        teacher=record["teacher"],
        funnel=tuple({name: phase[name] for name in COUNTS} for phase in record["phases"]),
        total={name: sum(phase[name] for phase in record["phases"]) for name in TOTALS},
        sample=tuple(sample_rows(out)),
        paths={name: str(out / name) for name in left},
        preview=record["teacher"].startswith(WITHOUT_WEIGHTS) and written_by_teacher(_teachers(out), record["phases"]),
    )


def print_summary(told: Summary) -> None:
    """Prints the funnel, three sample rows and the paths."""
    typer.echo("\nfunnel")
    for phase in told.funnel:
        reasons = ", ".join(f"{reason} {count:,}" for reason, count in phase["rejected"].items())
        typer.echo(f"  {phase['name']:<12}{phase['candidates']:>8,} -> {phase['rows_kept']:>7,}   {reasons}".rstrip())
    typer.echo("\nthree rows")
    for row in told.sample:
        _print_row(row)
    total = told.total
    typer.echo(f"\n{told.rows:,} rows, digest {told.digest[:16]}")
    typer.echo(f"{total['tasks']} tasks, {total['tasks_cached']} cached")
    typer.echo(
        f"{total['teacher_calls']:,} teacher calls by {told.teacher}; tokens: {total['prompt_tokens']:,} of "
        f"prompts ({total['cached_tokens']:,} cached), {total['completion_tokens']:,} of answers"
    )
    if told.preview:
        typer.echo("the extractive teacher has no weights: these rows are a preview, not training data")
    for path in told.paths.values():
        typer.echo(f"  {_from_here(path)}")


def _from_here(path: str) -> str:
    """A path as short as it can be typed here."""
    here = Path.cwd()
    return str(Path(path).relative_to(here)) if Path(path).is_relative_to(here) else path


def sample_rows(out: Location) -> list[dict[str, Any]]:
    """Rows of different kinds, the first and the last iteration among them; then others, up to three."""
    rows = [row for name in _files(out)[:1] for row in _rows(out, name, SAMPLE_COLUMNS)]
    rows.sort(key=lambda row: (row["iteration"], row["id"]))
    chosen: list[dict[str, Any]] = []
    for row in [*rows[:1], *rows[-1:], *rows]:
        if len(chosen) < SAMPLE_ROWS and _kind(row) not in map(_kind, chosen):
            chosen.append(row)
    ids = {row["id"] for row in chosen}
    return [*chosen, *(row for row in rows if row["id"] not in ids)][:SAMPLE_ROWS]


def _teachers(out: Location) -> Iterator[str]:
    """The teacher of each row, file after file."""
    return (row["teacher"] for name in _files(out) for row in _rows(out, name, ["teacher"]))


def _files(out: Location) -> list[str]:
    return [name for name in names_in(out / "dataset") if name.startswith("train-")]


def _rows(out: Location, name: str, columns: Sequence[str]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = read_table(read_whole(out / "dataset" / name), columns).to_pylist()
    return rows


def _kind(row: Mapping[str, Any]) -> str:
    """A row's task type, or else how it was made."""
    way = way_of(row["method"], row["iteration"])
    return row["task_type"] or (f"{way}, iteration {row['iteration']}" if row["method"] == FANNO else way)


def _print_row(row: Mapping[str, Any]) -> None:
    source = f", from {harmless(row['source'])}" if row["source"] else ""
    typer.echo(f"  {row['id']}  {harmless(_kind(row))}{source}")
    for label in ("instruction", "input", "output"):
        if row[label]:
            text = textwrap.shorten(harmless(row[label]).replace("\n", " / "), 360, placeholder=" ...")
            indent = " " * 17
            typer.echo(textwrap.fill(text, WIDTH, initial_indent=f"    {label:<13}", subsequent_indent=indent))
